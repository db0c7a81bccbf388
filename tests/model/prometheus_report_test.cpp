// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/report/prometheus_report.h"
#include "tests/support/snapshot_builder.h"

#include <QRegularExpression>
#include <QTest>

#include <sstream>

using namespace model;
using tests::SnapshotBuilder;
using namespace Qt::StringLiterals;

namespace {

QStringList linesOf(const Snapshot &snapshot)
{
    std::ostringstream out;
    writePrometheus(out, snapshot);
    return QString::fromStdString(out.str()).split(u'\n', Qt::SkipEmptyParts);
}

double valueOf(const QStringList &lines, const char *begin, const char *part = "")
{
    for (const QString &line : lines)
        if (line.startsWith(QString::fromUtf8(begin)) && line.contains(QString::fromUtf8(part)))
            return line.mid(line.lastIndexOf(u' ')).toDouble();
    return -1;
}

} // namespace

class PrometheusReportTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void tellsMemoryGrowthCpuAndHotPaths()
    {
        SnapshotBuilder builder;
        builder.ticks(60, Duration::fromMs(1000));
        std::vector<std::int64_t> rss;
        for (std::int64_t i = 0; i < 60; ++i)
            rss.push_back(10'000'000 + i * 5000 + (i % 3) * 10);
        builder.metric(Metric::Rss, rss);
        builder.metric(Metric::CpuUser, std::vector<std::int64_t>(60, 40'000));
        builder.metric(Metric::CpuSystem, std::vector<std::int64_t>(60, 2'500));
        builder.cpu("main;serve;parse@parse.cpp:9 150\nmain;other 50\n");
        builder.raw().info.state = SessionState::Recording;
        const QStringList lines = linesOf(builder.build());
        QCOMPARE(valueOf(lines, "genesis_memory_usage_bytes{", "kind=\"resident\""), 10'000'000 + 59 * 5000 + 20.0);
        QVERIFY(std::abs(valueOf(lines, "genesis_memory_growth_rate{", "kind=\"resident\"") - 5000) < 10);
        QCOMPARE(valueOf(lines, "genesis_cpu_usage_percent{pid=\"100\""), 42.5);
        QCOMPARE(
            valueOf(lines, "genesis_hot_path_duration_seconds{function=\"parse\"", "path=\"main;serve;parse\""), 0.75);
        QCOMPARE(valueOf(lines, "genesis_hot_path_duration_seconds{function=\"other\"", "path=\"main;other\""), 0.25);
        QCOMPARE(valueOf(lines, "genesis_recording_state{state=\"recording\"}"), 1.0);
        QCOMPARE(valueOf(lines, "genesis_losses_total{kind=\"samples_lost\"}"), 0.0);
        // The grammar of the format: a head of two lines for each metric, once; then samples.
        static const QRegularExpression sample(
            uR"re(^[a-z_]+(\{([a-z_]+="([^"\\]|\\[\\"n])*",?)+\})? -?[0-9.e+-]+$)re"_s);
        QSet<QString> heads;
        for (const QString &line : lines) {
            if (line.startsWith(u"# TYPE "_s)) {
                QVERIFY2(!heads.contains(line), qPrintable(line));
                heads.insert(line);
            } else if (!line.startsWith(u"# HELP "_s)) {
                QVERIFY2(sample.match(line).hasMatch(), qPrintable(line));
            }
        }
    }

    /// Whoever watches must not take the last value of a recording that is over for what is.
    void saysNothingOfNowOnceNothingRecords()
    {
        SnapshotBuilder builder;
        builder.ticks(60, Duration::fromMs(1000));
        builder.metric(Metric::Rss, std::vector<std::int64_t>(60, 1'000'000));
        builder.metric(Metric::VirtualSize, std::vector<std::int64_t>(60, 2'000'000));
        builder.metric(Metric::AddressLimit, std::vector<std::int64_t>(60, 4'000'000));
        builder.metric(Metric::CpuUser, std::vector<std::int64_t>(60, 50'000));
        builder.raw().info.startWallNs = 1'700'000'000'000'000'000;
        builder.raw().info.duration = Duration::fromMs(60'000);
        builder.raw().alerts.emplace_back().rule = "memory grows";
        builder.raw().info.state = SessionState::Recording;
        const QStringList live = linesOf(builder.build());
        QCOMPARE(valueOf(live, "genesis_alert_firing"), 1.0);
        QCOMPARE(valueOf(live, "genesis_memory_limit_bytes{", "kind=\"virtual\""), 4e6);
        for (const SessionState over : {SessionState::Complete, SessionState::Unfinished}) {
            builder.raw().info.state = over;
            const QStringList lines = linesOf(builder.build());
            for (const char *gauge : {"genesis_memory_usage_bytes", "genesis_memory_growth_rate", "genesis_threads",
                     "genesis_cpu_usage_percent", "genesis_alert_firing", "genesis_memory_limit_bytes"})
                QCOMPARE(valueOf(lines, gauge), -1.0);
            QCOMPARE(valueOf(lines, "genesis_last_tick_timestamp_seconds"), 1'700'000'060.0);
            QVERIFY(std::abs(valueOf(lines, "genesis_cpu_seconds_total") - 30) < 0.6); // of a tick
        }
    }

    void tellsHowLongTheAddressSpaceLasts()
    {
        SnapshotBuilder builder;
        builder.ticks(120, Duration::fromMs(1000));
        std::vector<std::int64_t> used;
        for (std::int64_t i = 0; i < 120; ++i)
            used.push_back(100'000'000 + i * 1'000'000 + (i % 3) * 1000);
        builder.metric(Metric::VirtualSize, used);
        builder.metric(Metric::AddressLimit, std::vector<std::int64_t>(120, 300'000'000));
        builder.raw().info.state = SessionState::Recording;
        const double seconds = valueOf(linesOf(builder.build()), "genesis_time_to_limit_seconds{", "kind=\"virtual\"");
        QVERIFY2(seconds > 50 && seconds < 120, QByteArray::number(seconds).constData());
    }

    void hasNoTrendOfAFewTicks()
    {
        SnapshotBuilder builder;
        builder.metric(Metric::Rss, {1, 2, 3});
        QCOMPARE(valueOf(linesOf(builder.build()), "genesis_memory_growth_rate"), -1.0);
    }

    void escapesWhatProgramsAreCalled()
    {
        SnapshotBuilder builder;
        Process process{.pid = 7};
        const ProcessId id = builder.tables().addProcess(process);
        Image image;
        image.process = id;
        image.executable = builder.tables().string("/x/a\"b\\c\nd\xff");
        builder.tables().addImage(image);
        builder.raw().info.state = SessionState::Recording;
        builder.raw().metrics.push_back({id, {{1'000'000'000}}, {{}}});
        Snapshot snapshot = builder.build();
        snapshot.metrics.back().values.back().set(Metric::Rss, 5);
        const QStringList lines = linesOf(snapshot);
        QCOMPARE(valueOf(lines, "genesis_memory_usage_bytes{pid=\"7\",process=\"a\\\"b\\\\c\\nd\ufffd\""), 5.0);
    }

    /// What a program held is gone when its process executes another, traced or not.
    void doesNotTakeWhatWasHeldForWhatIs()
    {
        SnapshotBuilder builder;
        builder.metric(Metric::Rss, {1, 2});
        builder.heap("main;f 64\n");
        builder.raw().info.state = SessionState::Recording;
        const TimeRange tick{{}, {1'000'000'000}};
        builder.raw().heapSeries.push_back(
            {.image = builder.image(), .spans = {tick}, .ticks = {HeapTick{.liveBytes = 640, .liveBlocks = 10}}});
        builder.tables().changeImage(builder.image()).heap = HeapState::Full;
        const QStringList before = linesOf(builder.build());
        QCOMPARE(valueOf(before, "genesis_memory_usage_bytes{", "kind=\"live_heap\""), 640.0);
        QCOMPARE(valueOf(before, "genesis_heap_live_blocks"), 10.0);
        builder.tables().changeImage(builder.image()).end = Timestamp{1'500'000'000};
        Image next;
        next.process = builder.process();
        next.epoch = 1;
        next.start = {1'500'000'000};
        next.executable = builder.tables().string("/bin/static");
        next.heap = HeapState::NotTraced;
        builder.tables().addImage(next);
        const QStringList after = linesOf(builder.build());
        QCOMPARE(valueOf(after, "genesis_memory_usage_bytes{", "kind=\"live_heap\""), -1.0);
        QCOMPARE(valueOf(after, "genesis_heap_live_blocks"), 0.0);
    }

    void leavesOutProcessesThatEnded()
    {
        SnapshotBuilder builder;
        builder.metric(Metric::Rss, {1, 2, 3});
        builder.raw().info.state = SessionState::Recording;
        builder.tables().changeProcess(builder.process()).end = Timestamp{2'000'000'000};
        QCOMPARE(valueOf(linesOf(builder.build()), "genesis_memory_usage_bytes"), -1.0);
    }
};

QTEST_APPLESS_MAIN(PrometheusReportTest)
#include "prometheus_report_test.moc"
