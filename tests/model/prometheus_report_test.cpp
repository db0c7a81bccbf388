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
