// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/monotonic_clock.h"
#include "capture/perf/target_processes.h"

#include <QElapsedTimer>
#include <QTest>

#include <unistd.h>

using namespace capture;

namespace {

constexpr std::uint64_t kPage = 4096;
constexpr std::uint64_t kBegin = 0x100000000000; ///< where nothing of ours is mapped

/// What the kernel tells of a page of generated code that is mapped now.
PerfRecord generatedPage(std::uint64_t number)
{
    PerfMapping mapping;
    mapping.begin = kBegin + number * 2 * kPage;
    mapping.bytes = kPage;
    mapping.isExecutable = true;
    mapping.path = "//anon";
    PerfRecord record;
    record.pid = record.tid = getpid();
    record.timeNs = static_cast<std::uint64_t>(monotonicNs());
    record.content = mapping;
    return record;
}

} // namespace

class AddressSpaceTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void aMappingCutsWhatItOverlaps()
    {
        AddressSpace space;
        space.add({10, 50, 100, nullptr});
        space.add({50, 60, 0, nullptr});
        space.add({20, 30, 7, nullptr});
        QCOMPARE(space.size(), std::size_t{4});
        QCOMPARE(space.find(19)->end, std::uint64_t{20});
        QCOMPARE(space.find(20)->fileOffset, std::uint64_t{7});
        QCOMPARE(space.find(30)->fileOffset, std::uint64_t{120});
        QCOMPARE(space.find(55)->begin, std::uint64_t{50});
        QVERIFY(!space.find(9));
        QVERIFY(!space.find(60));
        space.add({5, 55, 0, nullptr});
        QCOMPARE(space.size(), std::size_t{2});
        QCOMPARE(space.find(54)->begin, std::uint64_t{5});
        QCOMPARE(space.find(55)->fileOffset, std::uint64_t{5});
    }

    void aCopyDoesNotLookIntoItsOriginal()
    {
        auto original = std::make_unique<AddressSpace>();
        original->add({10, 20, 1, nullptr});
        QVERIFY(original->find(15));
        const AddressSpace copy = *original;
        original->clear();
        QCOMPARE(copy.find(15)->fileOffset, std::uint64_t{1});
    }

    void manyMappingsAreAddedFast()
    {
        AddressSpace space;
        QElapsedTimer timer;
        timer.start();
        for (std::uint64_t i = 0; i < 100'000; ++i)
            space.add({i * 2 * kPage, (i * 2 + 1) * kPage, 0, nullptr});
        QVERIFY2(timer.elapsed() < 2000, qPrintable(QString::number(timer.elapsed())));
    }

    void whatIsGoneIsFoundUntilItIsDropped()
    {
        AddressSpace space;
        for (const std::uint64_t begin : {10, 30, 50})
            space.add({begin, begin + 10, 0, nullptr});
        PerfMapping there;
        there.begin = 30;
        there.bytes = 10;
        space.markGone({there});
        QVERIFY(space.find(10));
        space.add({50, 55, 3, nullptr}); // anew, after it was looked
        space.dropGone();
        QVERIFY(!space.find(10));
        QVERIFY(space.find(30));
        QCOMPARE(space.find(50)->fileOffset, std::uint64_t{3});
        QVERIFY(!space.find(57));
    }

    void codeThatWasUnmappedIsForgotten()
    {
        model::TableBuilder tables;
        model::ProcessTable processes(tables);
        CodeFiles files(tables);
        TargetProcesses targets(processes, files, 0);
        targets.adopt(getpid(), 0, {});
        const std::size_t own = targets.spaceOf(getpid(), {}).size();
        for (std::uint64_t i = 0; i < 20'000; ++i)
            targets.apply(generatedPage(i));
        const AddressSpace &space = targets.spaceOf(getpid(), {});
        QVERIFY2(space.size() < 3000, qPrintable(QString::number(space.size())));
        QVERIFY(space.size() > own);
        QVERIFY(space.find(kBegin + 19'999 * 2 * kPage)); // the last one may still have samples
        const auto here = reinterpret_cast<std::uint64_t>(&generatedPage);
        QVERIFY(space.find(here));
    }
};

QTEST_GUILESS_MAIN(AddressSpaceTest)
#include "address_space_test.moc"
