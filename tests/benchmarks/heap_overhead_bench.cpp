// SPDX-License-Identifier: GPL-3.0-or-later
// What full heap tracing adds to a malloc/free pair: alloc_storm untraced, under our instrument (full and sampled), and under heaptrack where
// it is installed, in turn, so that all see the same machine. Prints medians and the ratio.
#include "capture/heap/heap_instrument.h"

#include <QProcess>
#include <QStandardPaths>
#include <QTemporaryDir>
#include <QtTest>

#include <time.h>

#include <algorithm>
#include <vector>

namespace {

constexpr int kRounds = 5;
constexpr double kPairs = 2e6; ///< of a thread

QString built(const QString &path) { return qEnvironmentVariable("GENESIS_BUILD_DIR") + u'/' + path; }

double median(std::vector<double> values)
{
    std::sort(values.begin(), values.end());
    return values.at(values.size() / 2);
}

/// The figure that alloc_storm prints, whatever its tracer prints after it: wall clock nanoseconds per pair and thread.
double nsPerPair(const QByteArray &output)
{
    const qsizetype at = output.indexOf("wall_ns_per_pair ");
    bool isNumber = false;
    const double ns = output.mid(at + 17).split('\n').value(0).trimmed().toDouble(&isNumber);
    if (at < 0 || !isNumber)
        qFatal("no figure in: %s", output.constData());
    return ns;
}

double runUntraced(const QString &program, const QStringList &arguments)
{
    QProcess process;
    process.start(program, arguments);
    process.waitForFinished(-1);
    return nsPerPair(process.readAllStandardOutput());
}

double runHeaptrack(const QString &heaptrack, const QString &program, const QStringList &arguments)
{
    const QTemporaryDir folder;
    QProcess process;
    process.start(heaptrack,
        QStringList{QStringLiteral("--raw"), QStringLiteral("-o"), folder.filePath(QStringLiteral("raw")), program}
            + arguments);
    process.waitForFinished(-1);
    return nsPerPair(process.readAllStandardOutput());
}

/// CPU time of this process: what it records with.
double ownCpuNs()
{
    timespec time{};
    ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

struct Traced
{
    double nsPerPair = 0;
    double recorderNs = 0; ///< CPU time of the recorder
};

/// Under the instrument, with a tick every second as a recording has; the number of lost events must be 0.
Traced runTraced(const QString &program, const QStringList &arguments, std::uint64_t samplePeriodBytes = 0)
{
    const double cpuBefore = ownCpuNs();
    timespec start{};
    ::clock_gettime(CLOCK_MONOTONIC, &start);
    const std::int64_t origin = std::int64_t{start.tv_sec} * 1'000'000'000 + start.tv_nsec;
    model::TableBuilder tables;
    model::ProcessTable processes(tables);
    auto made = capture::HeapInstrument::create(
        processes, built(QStringLiteral(GENESIS_TRACER_PATH)).toStdString(), origin, samplePeriodBytes);
    if (!made)
        qFatal("%s", made.error().text().c_str());
    QProcess process;
    QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
    for (const auto &[name, value] : (*made)->environment(""))
        environment.insert(QString::fromStdString(name), QString::fromStdString(value));
    process.setProcessEnvironment(environment);
    process.start(program, arguments);
    std::int64_t lost = 0;
    bool isOver = false;
    while (!isOver) {
        isOver = process.waitForFinished(1000) || process.state() == QProcess::NotRunning;
        model::EventBatch batch;
        (*made)->collect({}, batch);
        for (const model::Loss &loss : batch.losses)
            lost += loss.count;
    }
    if (lost != 0)
        qFatal("%lld events were lost", static_cast<long long>(lost));
    return {nsPerPair(process.readAllStandardOutput()), ownCpuNs() - cpuBefore};
}

} // namespace

class HeapOverheadBench : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void allocStorm_data()
    {
        QTest::addColumn<QString>("target");
        QTest::addColumn<int>("threads");
        for (const int threads : {1, 2, 4})
            QTest::addRow("%d threads", threads) << QStringLiteral("alloc_storm") << threads;
        QTest::addRow("beside a quiet thread") << QStringLiteral("alloc_storm_beside") << 1;
        QTest::addRow("with frame pointers") << QStringLiteral("alloc_storm_by_rbp") << 1;
    }
    void allocStorm()
    {
        QFETCH(QString, target);
        QFETCH(int, threads);
        const QString program = built(QStringLiteral("tests/targets/") + target);
        const QStringList arguments{QString::number(threads), QString::number(kPairs / 1e6)};
        const QString heaptrack = QStandardPaths::findExecutable(QStringLiteral("heaptrack"));
        std::vector<double> untraced, traced, sampled, others, recorder;
        for (int round = 0; round < kRounds; ++round) {
            untraced.push_back(runUntraced(program, arguments));
            const Traced full = runTraced(program, arguments);
            traced.push_back(full.nsPerPair);
            recorder.push_back(full.recorderNs / (threads * kPairs));
            sampled.push_back(runTraced(program, arguments, 512 * 1024).nsPerPair);
            if (!heaptrack.isEmpty())
                others.push_back(runHeaptrack(heaptrack, program, arguments));
        }
        const double base = median(untraced), ours = median(traced) - base;
        QVERIFY(base > 0 && median(traced) > 0);
        qInfo("untraced %.0f ns a pair, ours +%.0f, sampled each 512 KiB %+.1f; the recorder's CPU time %.0f ns a pair",
            base, ours, median(sampled) - base, median(recorder));
        if (others.empty())
            return;
        const double theirs = median(others) - base;
        qInfo("heaptrack --raw +%.0f, ours / heaptrack %.2f", theirs, ours / theirs);
    }
};

QTEST_GUILESS_MAIN(HeapOverheadBench)
#include "heap_overhead_bench.moc"
