// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/integration/genprof_runner.h"

#include <QFile>
#include <QFileInfo>
#include <QJsonArray>
#include <QTest>

#include <algorithm>
#include <csignal>

using tests::GenprofRunner;
using tests::HeapCounts;
using tests::Ran;

class CountsIntegrationTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void heapCountsEqualTheTruth_data();
    void heapCountsEqualTheTruth();
    void sampledCountsAreNearTheTruth_data();
    void sampledCountsAreNearTheTruth();
    void blocksLiveAsLongAsTheyDo_data();
    void blocksLiveAsLongAsTheyDo();
    void nothingIsMissingAfterSigkill();
    void heapsInNamespacesOfTheirOwnAreNamed();
    void stacksGoThroughGeneratedCode_data();
    void stacksGoThroughGeneratedCode();
    void cpuSharesEqualTheTruth();
    void stacksGoThroughTheStartOfThreads();
    void eachThreadIsOneRow();
    void jumpsOutOfAHookCostWhatTheyLeft_data();
    void jumpsOutOfAHookCostWhatTheyLeft();

private:
    static void compare(const QJsonObject &heap, const QByteArray &truth);
    static HeapCounts countsUnder(const QJsonObject &heap, const QString &function);
};

/// Of all stacks that the function stands in.
HeapCounts CountsIntegrationTest::countsUnder(const QJsonObject &heap, const QString &function)
{
    HeapCounts counts;
    for (const QJsonValue stack : heap[QStringLiteral("stacks")].toArray()) {
        const QJsonArray frames = stack[QStringLiteral("frames")].toArray();
        if (std::none_of(frames.begin(), frames.end(), [&](const QJsonValue &frame) {
                return frame[QStringLiteral("function")].toString().startsWith(function);
            }))
            continue;
        counts.allocations += stack[QStringLiteral("allocations")].toInteger();
        counts.frees += stack[QStringLiteral("frees")].toInteger();
    }
    return counts;
}

void CountsIntegrationTest::compare(const QJsonObject &heap, const QByteArray &truth)
{
    const HeapCounts counts = tests::countsOfModule(heap, QStringLiteral("heap_truth"));
    QVERIFY2(counts.allocations > 0, "no stack ends in the program");
    QCOMPARE(counts.allocations, tests::figure(truth, "allocations"));
    QCOMPARE(counts.allocatedBytes, tests::figure(truth, "allocated_bytes"));
    QCOMPARE(counts.frees, tests::figure(truth, "frees"));
    QCOMPARE(counts.liveBytes, tests::figure(truth, "live_bytes"));
    QCOMPARE(counts.liveBlocks, tests::figure(truth, "live_blocks"));
}

void CountsIntegrationTest::heapCountsEqualTheTruth_data()
{
    QTest::addColumn<int>("threads");
    QTest::addColumn<int>("operations");
    QTest::addColumn<QStringList>("how");
    QTest::newRow("1 thread") << 1 << 200'000 << QStringList();
    QTest::newRow("4 threads") << 4 << 100'000 << QStringList();
    QTest::newRow("50 threads") << 50 << 10'000 << QStringList();
    // Of which one is the only one to record for some time, again and again.
    QTest::newRow("1 thread and 2 quiet ones") << 3 << 1'000'000 << QStringList{QStringLiteral("quiet")};
}

void CountsIntegrationTest::heapCountsEqualTheTruth()
{
    QFETCH(int, threads);
    QFETCH(int, operations);
    QFETCH(QStringList, how);
    const GenprofRunner runner;
    const QStringList command{
        GenprofRunner::target(QStringLiteral("heap_truth")), QString::number(threads), QString::number(operations)};
    const Ran ran
        = runner.record({QStringLiteral("-q"), QStringLiteral("--tick"), QStringLiteral("100")}, command + how);
    QCOMPARE(ran.exitCode, 0);
    compare(runner.report(QStringLiteral("heap")), ran.out);
    const QJsonObject losses = runner.report(QStringLiteral("losses"))[QStringLiteral("losses")].toObject();
    QCOMPARE(losses[QStringLiteral("events_dropped")].toInteger(-1), 0);
    QCOMPARE(losses[QStringLiteral("unknown_frees")].toInteger(-1), 0);
}

void CountsIntegrationTest::sampledCountsAreNearTheTruth_data()
{
    QTest::addColumn<int>("threads");
    QTest::addColumn<QString>("mode");
    QTest::newRow("1 thread, 4 KiB") << 1 << QStringLiteral("sampled=4KiB");
    QTest::newRow("4 threads, 32 KiB") << 4 << QStringLiteral("sampled=32KiB");
    QTest::newRow("50 threads, 64 KiB") << 50 << QStringLiteral("sampled=64K");
}

void CountsIntegrationTest::sampledCountsAreNearTheTruth()
{
    QFETCH(int, threads);
    QFETCH(QString, mode);
    const GenprofRunner runner;
    const Ran ran = runner.record({QStringLiteral("-q"), QStringLiteral("--heap"), mode, QStringLiteral("--cpu"),
                                      QStringLiteral("off"), QStringLiteral("--tick"), QStringLiteral("100")},
        {GenprofRunner::target(QStringLiteral("heap_truth")), QString::number(threads), QStringLiteral("20000")});
    QCOMPARE(ran.exitCode, 0);
    const QJsonObject heap = runner.report(QStringLiteral("summary"))[QStringLiteral("heap")].toObject();
    QCOMPARE(heap[QStringLiteral("mode")].toString(), QStringLiteral("sampled"));
    QVERIFY(heap[QStringLiteral("samples")].toInteger() > 300);
    const auto isNear = [&](const char *key, qint64 truth) {
        const QJsonArray interval = heap[QLatin1String(key) + QLatin1String("_interval95")].toArray();
        const double low = interval.at(0).toDouble(), high = interval.at(1).toDouble();
        // Twice the interval, or about four standard deviations: one run in thousands is beyond.
        const double margin = (high - low) / 2;
        qInfo("%s: %.0f to %.0f, truth %lld", key, low, high, static_cast<long long>(truth));
        return high > low && double(truth) > low - margin && double(truth) < high + margin;
    };
    // Beside what the target counts there are the few allocations of the loader and the C library.
    QVERIFY(isNear("allocated_bytes", tests::figure(ran.out, "allocated_bytes")));
    QVERIFY(isNear("allocations", tests::figure(ran.out, "allocations")));
    const QJsonObject losses = runner.report(QStringLiteral("losses"))[QStringLiteral("losses")].toObject();
    QCOMPARE(losses[QStringLiteral("events_dropped")].toInteger(-1), 0);
    QCOMPARE(losses[QStringLiteral("unknown_frees")].toInteger(-1), 0);
}

void CountsIntegrationTest::blocksLiveAsLongAsTheyDo_data()
{
    QTest::addColumn<int>("times");
    QTest::addColumn<int>("idleMs");
    QTest::newRow("between bursts") << 20 << 0;
    QTest::newRow("in a program that rests") << 8 << 400; // and its recorder with it
}

/// Where events come fast only some have a time of their own: a pause is seen all the same.
void CountsIntegrationTest::blocksLiveAsLongAsTheyDo()
{
    QFETCH(int, times);
    QFETCH(int, idleMs);
    const GenprofRunner runner;
    QCOMPARE(runner
                 .record({QStringLiteral("-q"), QStringLiteral("--cpu"), QStringLiteral("off")},
                     {GenprofRunner::target(QStringLiteral("short_lives")), QString::number(times),
                         QStringLiteral("50"), QString::number(idleMs)})
                 .exitCode,
        0);
    // Bins are powers of two of microseconds: 2^15 is 33 ms.
    const Ran asked = runner.run(QStringLiteral("sqlite3"),
        {runner.session(),
            QStringLiteral("SELECT sum(frees * (bin >= 15)), sum(frees * (bin < 13)) FROM heap_lifetime"
                           " WHERE tick IN (SELECT id FROM tick WHERE level = 0)")});
    if (asked.exitCode == -1)
        QSKIP("sqlite3 is not installed");
    const QList<QByteArray> frees = asked.out.trimmed().split('|');
    QCOMPARE(frees.size(), 2);
    // A recorder that gets no processor for 50 ms may miss one pause.
    QVERIFY2(frees[0].toInt() >= 3 * (times - 1), asked.out.constData());
    QVERIFY2(idleMs > 0 || frees[1].toInt() >= times * 1001, asked.out.constData());
}

void CountsIntegrationTest::nothingIsMissingAfterSigkill()
{
    const GenprofRunner runner;
    const auto recorder = runner.startRecording({QStringLiteral("-q")},
        {GenprofRunner::target(QStringLiteral("heap_truth")), QStringLiteral("4"), QStringLiteral("20000"),
            QStringLiteral("wait")});
    const QByteArray truth = tests::readUntil(*recorder, "truth");
    QVERIFY(truth.contains("allocations"));
    const qint64 pid = runner.status()[QStringLiteral("target_pid")].toInteger();
    QVERIFY(pid > 0);
    QCOMPARE(::kill(static_cast<pid_t>(pid), SIGKILL), 0);
    QCOMPARE(tests::waitForExit(*recorder), 137);
    compare(runner.report(QStringLiteral("heap")), truth);
    QCOMPARE(runner.report(QStringLiteral("summary"))[QStringLiteral("exit_status")].toInteger(), 9);
}

void CountsIntegrationTest::heapsInNamespacesOfTheirOwnAreNamed()
{
    const GenprofRunner runner;
    const Ran ran = runner.record({QStringLiteral("-q")},
        {GenprofRunner::target(QStringLiteral("hostile_loading")), QStringLiteral("other-namespace")});
    QCOMPARE(ran.exitCode, 0);
    const QJsonArray processes = runner.report(QStringLiteral("summary"))[QStringLiteral("processes")].toArray();
    QCOMPARE(processes.size(), 1);
    const QString note = processes[0][QStringLiteral("images")][0][QStringLiteral("heap_note")].toString();
    // What could not be opened is not named, whether it is looked for or no library.
    QVERIFY2(note.startsWith(QStringLiteral("libhostile_module.so, opened by dlmopen")), qPrintable(note));
}

void CountsIntegrationTest::stacksGoThroughGeneratedCode_data()
{
    QTest::addColumn<QByteArray>("stack"); // from the root; "…": any frames
    const QByteArray caller = "_start;…;main;(anonymous namespace)::callGenerated(void*, void*, void*);";
    QTest::newRow("through two functions") << caller + "generated_outer;generated_inner;";
    QTest::newRow("a call by memory") << caller + "generated_by_memory;";
    // rbp is a number, which leads nowhere.
    QTest::newRow("without a frame pointer") << QByteArray("[no unwind information];generated_bare;");
    // Nor does what stands where rbp points to, however near the code it is: each would be a stack of its own.
    QTest::newRow("rbp points to data") << QByteArray("[no unwind information];generated_with_data;");
}

void CountsIntegrationTest::stacksGoThroughGeneratedCode()
{
    QFETCH(QByteArray, stack);
    const GenprofRunner runner;
    const Ran ran = runner.record({QStringLiteral("-q"), QStringLiteral("--cpu"), QStringLiteral("off")},
        {GenprofRunner::target(QStringLiteral("heap_jit"))});
    QFile::remove(QString::fromUtf8(ran.out.trimmed()));
    QCOMPARE(ran.exitCode, 0);
    const Ran report = runner.genprof(QStringLiteral("report %1 --what heap --cost allocations --format collapsed")
                                          .arg(runner.session())
                                          .split(QLatin1Char(' ')));
    const QByteArray wanted = stack + "(anonymous namespace)::allocateOne() 1000";
    const QList<QByteArray> parts{wanted.left(wanted.indexOf("…;")), wanted.mid(wanted.indexOf("…;") + 4)};
    const QList<QByteArray> lines = report.out.split('\n');
    const bool isThere = std::any_of(lines.begin(), lines.end(), [&](const QByteArray &line) {
        return wanted.contains("…;") ? line.startsWith(parts[0]) && line.endsWith(parts[1]) : line == wanted;
    });
    QVERIFY2(isThere, report.out.constData());
}

void CountsIntegrationTest::cpuSharesEqualTheTruth()
{
    const GenprofRunner runner;
    if (const QString denied = runner.deniedBecause(QStringLiteral("cpu_sampling")); !denied.isEmpty())
        QSKIP(qPrintable(denied));
    // On a busy machine samples are as good as independent: 8,000 leave a standard error of 0.6 points to a share of 50 %.
    const Ran ran = runner.record({QStringLiteral("-q"), QStringLiteral("--heap"), QStringLiteral("off"),
                                      QStringLiteral("--cpu"), QStringLiteral("2999")},
        {GenprofRunner::target(QStringLiteral("cpu_mix")), QStringLiteral("900")});
    QCOMPARE(ran.exitCode, 0);
    const QJsonObject cpu = runner.report(QStringLiteral("cpu"));
    QVERIFY2(!cpu[QStringLiteral("cpu")][QStringLiteral("event")].toString().isEmpty(), ran.err.constData());
    qint64 all = 0;
    QHash<QString, qint64> samples;
    for (const QJsonValue stack : cpu[QStringLiteral("stacks")].toArray()) {
        const QJsonArray frames = stack[QStringLiteral("frames")].toArray();
        int fifteens = 0;
        QString mixed;
        for (const QJsonValue frame : frames) {
            const QString name = frame[QStringLiteral("function")].toString().section(u'(', 0, 0);
            fifteens += name == QStringLiteral("fifteen") ? 1 : 0;
            if (mixed.isEmpty()
                && QStringList{QStringLiteral("fifty"), QStringLiteral("thirty"), QStringLiteral("fifteen"),
                    QStringLiteral("five")}
                       .contains(name))
                mixed = name;
        }
        if (mixed.isEmpty())
            continue; // the loader, before main
        const qint64 count = stack[QStringLiteral("samples")].toInteger();
        const bool isInTheDeep = mixed == QStringLiteral("fifteen") && count * 50 > samples.value(mixed);
        if (isInTheDeep)
            QVERIFY2(fifteens >= 60, qPrintable(QStringLiteral("only %1 frames deep").arg(fifteens)));
        QVERIFY(stack[QStringLiteral("end")].toString().isEmpty());
        samples[mixed] += count;
        all += count;
    }
    QVERIFY(all > 1000);
    const QHash<QString, double> truth{{QStringLiteral("fifty"), 50}, {QStringLiteral("thirty"), 30},
        {QStringLiteral("fifteen"), 15}, {QStringLiteral("five"), 5}};
    for (auto it = truth.begin(); it != truth.end(); ++it) {
        const double share = 100.0 * static_cast<double>(samples.value(it.key())) / static_cast<double>(all);
        QVERIFY2(qAbs(share - it.value()) < 1.5, qPrintable(QStringLiteral("%1: %2 %").arg(it.key()).arg(share)));
    }
}

/// The C library's clone3() has no table where a thread spends its time in it, and where the one that it makes begins.
void CountsIntegrationTest::stacksGoThroughTheStartOfThreads()
{
    const GenprofRunner runner;
    const Ran ran = runner.record({QStringLiteral("-q"), QStringLiteral("--heap"), QStringLiteral("off"),
                                      QStringLiteral("--cpu"), QStringLiteral("9999")},
        {GenprofRunner::target(QStringLiteral("cpu_threads")), QStringLiteral("2000"), QStringLiteral("empty")});
    QCOMPARE(ran.exitCode, 0);
    const QJsonObject cpu = runner.report(QStringLiteral("cpu"));
    qint64 all = 0, broken = 0;
    for (const QJsonValue stack : cpu[QStringLiteral("stacks")].toArray()) {
        all += stack[QStringLiteral("samples")].toInteger();
        broken += stack[QStringLiteral("end")].toString().isEmpty() ? 0 : stack[QStringLiteral("samples")].toInteger();
    }
    QVERIFY2(all > 500, qPrintable(QString::number(all)));
    QVERIFY2(broken * 50 < all, qPrintable(QStringLiteral("%1 of %2").arg(broken).arg(all)));
}

/// Whoever tells of them: the ring of a thread may be seen first when its end was told already.
void CountsIntegrationTest::eachThreadIsOneRow()
{
    const GenprofRunner runner;
    const Ran ran = runner.record(
        {QStringLiteral("-q")}, {GenprofRunner::target(QStringLiteral("heap_threads")), QStringLiteral("churn")});
    QCOMPARE(ran.exitCode, 0);
    const QByteArray table
        = runner
              .genprof({QStringLiteral("sql"), runner.session(),
                  QStringLiteral("select count(*) as n, count(distinct tid) as tids from v_threads")})
              .out;
    const QList<QByteArray> words = table.simplified().split(' ');
    QCOMPARE(words.size(), 4);
    QCOMPARE(words[2], words[3]);
    QCOMPARE(words[3].toInt(), 3201); // waves of threads, and the first
}

void CountsIntegrationTest::jumpsOutOfAHookCostWhatTheyLeft_data()
{
    QTest::addColumn<int>("recoveries");
    QTest::addColumn<int>("threads");
    QTest::addColumn<QString>("mode");
    QTest::newRow("none") << 0 << 1 << QStringLiteral("full");
    QTest::newRow("40 full stacks") << 40 << 1 << QStringLiteral("full");
    QTest::newRow("of each of four threads") << 20 << 4 << QStringLiteral("full");
    QTest::newRow("sampled") << 40 << 1 << QStringLiteral("sampled=256");
}

/// A program that recovers from full stacks, as interpreters do, is recorded on; a handler that interrupts a hook and returns is no such jump, though
/// its stack lies above.
void CountsIntegrationTest::jumpsOutOfAHookCostWhatTheyLeft()
{
    QFETCH(int, recoveries);
    QFETCH(int, threads);
    QFETCH(QString, mode);
    const GenprofRunner runner;
    const Ran ran = runner.record(
        {QStringLiteral("-q"), QStringLiteral("--cpu"), QStringLiteral("off"), QStringLiteral("--heap"), mode},
        {GenprofRunner::target(QStringLiteral("left_hooks")), QString::number(recoveries), QString::number(threads)});
    QCOMPARE(ran.exitCode, 0);
    QCOMPARE(tests::figure(ran.out, "caught"), qint64{recoveries} * threads);
    const qint64 left = tests::figure(ran.out, "left"), signalCount = tests::figure(ran.out, "signals");
    QCOMPARE(left > 0, recoveries > 0);
    QVERIFY2(signalCount > 0, ran.out.constData());
    const QJsonObject heap = runner.report(QStringLiteral("heap"));
    for (const auto &[function, times] : {std::pair{"afterwards", threads}, std::pair{"interrupted", 1}}) {
        const HeapCounts counts = countsUnder(heap, QLatin1String(function));
        const qint64 truth = tests::figure(ran.out, "allocations") * times;
        // Sampled: eight standard errors of 200,000 allocations of 1 to 100 bytes, of which 1 - exp(-bytes/256) are seen.
        const qint64 most = mode == QStringLiteral("full") ? 0 : truth / 16;
        QVERIFY2(qAbs(counts.allocations - truth) <= most, qPrintable(QString::number(counts.allocations)));
        QCOMPARE(counts.frees, counts.allocations);
    }
    const QJsonObject losses = runner.report(QStringLiteral("losses"))[QStringLiteral("losses")].toObject();
    const qint64 dropped = losses[QStringLiteral("events_dropped")].toInteger(-1);
    QVERIFY2(dropped >= 0 && dropped <= left + 2 * signalCount, qPrintable(QString::number(dropped)));
    QCOMPARE(losses[QStringLiteral("bad_records")].toInteger(-1), 0);
}

QTEST_GUILESS_MAIN(CountsIntegrationTest)
#include "counts_integration_test.moc"
