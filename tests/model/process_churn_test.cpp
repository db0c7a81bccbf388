// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/recommendations.h"
#include "tests/support/snapshot_builder.h"

#include <QTest>

#include <algorithm>
#include <optional>

using namespace model;
using tests::SnapshotBuilder;

namespace {

/// What is advised where `parent`, started by `above`, runs 300 short processes of `child`, which use half of the CPU time.
std::optional<Recommendation> adviceFor(const char *above, const char *parent, const char *child)
{
    SnapshotBuilder builder;
    builder.cpu("main;f 300\n");
    TableBuilder &tables = builder.tables();
    std::int32_t pid = 1000;
    const auto start = [&](const std::string &program, ProcessId by, Timestamp begin, std::optional<Timestamp> end) {
        const ProcessId process = tables.addProcess({.pid = ++pid, .parent = by, .start = begin, .end = end});
        const ImageId image = tables.addImage({.process = process,
            .executable = tables.string("/usr/bin/" + program),
            .commandLine = tables.string(program),
            .start = begin,
            .end = end});
        return std::pair(process, image);
    };
    const ProcessId top = start(above, {}, {}, {}).first;
    const ProcessId by = start(parent, top, {1'000'000}, {}).first;
    for (std::int64_t i = 0; i < 300; ++i) {
        const Timestamp begin{(i + 1) * 30'000'000};
        const auto [process, image] = start(child, by, begin, begin + Duration::fromMs(20));
        CpuCost cost = builder.raw().cpu.front();
        cost.thread = tables.addThread({.process = process, .tid = pid, .name = tables.string("t"), .start = begin});
        cost.image = image;
        cost.samples = 1;
        builder.raw().cpu.push_back(cost);
    }
    const Recommendations all = *recommendations(builder.build());
    const auto item = std::find_if(
        all.items.begin(), all.items.end(), [](const Recommendation &each) { return each.rule == "process_churn"; });
    return item == all.items.end() ? std::nullopt : std::optional(*item);
}

} // namespace

/// Advice to start fewer processes, where that can be followed.
class ProcessChurnTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void advisesAProgramThatStartsCommands()
    {
        const auto item = adviceFor("make", "importer", "gzip");
        QVERIFY(item);
        QCOMPARE(item->place, std::string("importer"));
        QVERIFY2(item->advice.starts_with("Do the work in the program itself"), item->advice.c_str());
    }

    void leavesBuildsAlone_data()
    {
        QTest::addColumn<QByteArray>("above");
        QTest::addColumn<QByteArray>("parent");
        QTest::newRow("ninja") << QByteArray("sh") << QByteArray("ninja");
        QTest::newRow("the shell of a recipe") << QByteArray("make") << QByteArray("sh");
        QTest::newRow("a compiler") << QByteArray("sh") << QByteArray("x86_64-linux-gnu-g++-12");
    }
    void leavesBuildsAlone()
    {
        QFETCH(QByteArray, above);
        QFETCH(QByteArray, parent);
        QVERIFY(!adviceFor(above.constData(), parent.constData(), "cc1plus"));
    }

    void advisesAServerThatForksToReuseItsWorkers()
    {
        const auto item = adviceFor("sh", "postgres", "postgres");
        QVERIFY(item);
        QVERIFY2(item->advice.find("library call") == std::string::npos, item->advice.c_str());
        QVERIFY2(item->advice.find("postgres forks itself") != std::string::npos, item->advice.c_str());
        QVERIFY2(item->advice.find("pool") != std::string::npos, item->advice.c_str());
    }
};

QTEST_APPLESS_MAIN(ProcessChurnTest)
#include "process_churn_test.moc"
