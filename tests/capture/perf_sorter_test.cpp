// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/perf/sample_sorter.h"

#include <QTest>

using namespace capture;

namespace {

PerfRecord recordAt(std::uint64_t timeNs, std::int32_t pid = 0)
{
    PerfRecord record;
    record.timeNs = timeNs;
    record.pid = pid;
    record.content = PerfExit{};
    return record;
}

std::vector<std::uint64_t> release(SampleSorter &sorter, std::uint64_t beforeNs)
{
    std::vector<std::uint64_t> times;
    sorter.release(beforeNs, [&](PerfRecord &record) { times.push_back(record.timeNs); });
    return times;
}

using Times = std::vector<std::uint64_t>;

} // namespace

class PerfSorterTest : public QObject
{
    Q_OBJECT
private Q_SLOTS:
    void mergesTheRecordsOfManyRings()
    {
        SampleSorter sorter(1 << 20);
        for (const std::uint64_t time : {10, 30, 50, 20, 40, 60})
            sorter.add(recordAt(time));
        QCOMPARE(release(sorter, 55), (Times{10, 20, 30, 40, 50}));
        QCOMPARE(sorter.pendingCount(), std::size_t{1});
        QCOMPARE(release(sorter, 61), (Times{60}));
    }

    void keepsTheOrderOfRecordsOfOneTime()
    {
        SampleSorter sorter(1 << 20);
        for (std::int32_t pid = 0; pid < 5; ++pid)
            sorter.add(recordAt(10, pid));
        std::vector<std::int32_t> pids;
        sorter.release(11, [&](PerfRecord &record) { pids.push_back(record.pid); });
        QCOMPARE(pids, (std::vector<std::int32_t>{0, 1, 2, 3, 4}));
    }

    void countsRecordsThatComeTooLateAndStillGivesThem()
    {
        SampleSorter sorter(1 << 20);
        sorter.add(recordAt(100));
        QCOMPARE(release(sorter, 101), (Times{100}));
        sorter.add(recordAt(90));
        sorter.add(recordAt(110));
        QCOMPARE(sorter.takeLateCount(), 1U);
        QCOMPARE(sorter.takeLateCount(), 0U);
        QCOMPARE(release(sorter, 120), (Times{90, 110}));
    }

    void saysWhenItHoldsTooMuch()
    {
        SampleSorter sorter(20000);
        PerfSample sample;
        sample.stack.resize(8192);
        for (std::uint64_t time = 1; !sorter.isFull(); ++time) {
            PerfRecord record;
            record.timeNs = time;
            record.content = sample;
            sorter.add(std::move(record));
            QVERIFY(time < 10);
        }
        QVERIFY(release(sorter, ~std::uint64_t{0}).size() >= 2);
        QVERIFY(!sorter.isFull());
    }
};

QTEST_APPLESS_MAIN(PerfSorterTest)
#include "perf_sorter_test.moc"
