// SPDX-License-Identifier: GPL-3.0-or-later
// genprof attach --heap full, and doctor PID, on programs that run.
#include "tests/integration/genprof_runner.h"

#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QStandardPaths>
#include <QTest>

#include <csignal>
#include <memory>

using tests::GenprofRunner;
using tests::Ran;

namespace {

QStringList words(const char *line) { return QString::fromUtf8(line).split(u' '); }

bool isThere(const char *program) { return !QStandardPaths::findExecutable(QString::fromUtf8(program)).isEmpty(); }

/// A program that runs until the end of the test.
class Running
{
public:
    Running(const QString &program, const QStringList &arguments)
    {
        m_process.start(program, arguments);
        m_process.waitForStarted();
    }
    ~Running()
    {
        m_process.closeWriteChannel();
        if (!m_process.waitForFinished(3000))
            m_process.kill();
        m_process.waitForFinished();
    }
    QProcess &process() { return m_process; }
    QString pid() const { return QString::number(m_process.processId()); }
    QByteArray ask(const QByteArray &line)
    {
        m_process.write(line + '\n');
        return tests::readUntil(m_process, "\n").trimmed();
    }
    bool runs() const { return m_process.state() == QProcess::Running; }

private:
    QProcess m_process;
};

QStringList attach(const GenprofRunner &runner, const Running &target)
{
    return QStringList{QStringLiteral("attach")} + words("--heap full --cpu off --tick 100 -o")
        + QStringList{runner.session()} + QStringList{target.pid()};
}

/// Starts a recording of the heap and waits until it is controlled.
std::unique_ptr<QProcess> startAttach(const GenprofRunner &runner, const Running &target)
{
    auto recorder = runner.start(attach(runner, target));
    if (runner.waitForStatus().isEmpty())
        qWarning("no recording: %s", recorder->readAllStandardError().constData());
    return recorder;
}

QJsonObject firstImage(const QJsonObject &summary)
{
    return summary[QStringLiteral("processes")][0][QStringLiteral("images")][0].toObject();
}

} // namespace

class AttachHeapIntegrationTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void countsAreExactFromTheAttachToTheStop();
    void whatComesAfterAResumeIsRecordedAtOnce();
    void ctrlCEndsTheRecordingAndNotTheProgram();
    void pythonIsRecordedWhileItRuns();
    void redisIsRecordedUnderLoad();
    void theRecordersDeathLeavesTheProgramRunning_data();
    void theRecordersDeathLeavesTheProgramRunning();
    void whatCannotBeTracedIsSaidAndTheRestRecorded();
    void doctorExaminesAProcess_data();
    void doctorExaminesAProcess();
    void doctorSaysThatThereIsNoProcess();
};

void AttachHeapIntegrationTest::countsAreExactFromTheAttachToTheStop()
{
    const GenprofRunner runner;
    Running target(GenprofRunner::target(QStringLiteral("attach_busy_lazy")), words("3"));
    QVERIFY(tests::readUntil(target.process(), "ready").contains("ready"));
    for (int round = 0; round < 2; ++round) { // the second finds the library there
        QFile::remove(runner.session());
        auto recorder = startAttach(runner, target);
        const QByteArray truth = target.ask("go 5000");
        QVERIFY(truth.startsWith("done"));
        QCOMPARE(runner.control(words("stop")).exitCode, 0);
        QCOMPARE(tests::waitForExit(*recorder), 0);
        QVERIFY(target.ask("go 10").startsWith("done"));
        const auto counts
            = tests::countsOfModule(runner.report(QStringLiteral("heap")), QStringLiteral("attach_busy_lazy"));
        QCOMPARE(counts.allocations, tests::figure(truth, "allocations"));
        QCOMPARE(counts.frees, tests::figure(truth, "frees"));
        const QJsonObject summary = runner.report(QStringLiteral("summary"));
        QCOMPARE(summary[QStringLiteral("losses")][QStringLiteral("events_dropped")].toInteger(-1), 0);
        QCOMPARE(summary[QStringLiteral("losses")][QStringLiteral("unknown_frees")].toInteger(-1), 0);
        QCOMPARE(firstImage(summary)[QStringLiteral("heap_state")].toString(), QStringLiteral("attached"));
        QVERIFY(firstImage(summary)[QStringLiteral("heap_note")].toString().startsWith(u"attached 0:00"));
    }
    QCOMPARE(target.ask("quit"), QByteArray("bye 0"));
}

/// Within one tick: a pause begins and ends at a moment, not at a tick's end.
void AttachHeapIntegrationTest::whatComesAfterAResumeIsRecordedAtOnce()
{
    const GenprofRunner runner;
    Running target(GenprofRunner::target(QStringLiteral("attach_busy_now")), words("1"));
    QVERIFY(tests::readUntil(target.process(), "ready").contains("ready"));
    const auto recorder = runner.start(QStringList{QStringLiteral("attach")}
        + words("--heap full --cpu off --tick 20s -o") + QStringList{runner.session(), target.pid()});
    QVERIFY(!runner.waitForStatus().isEmpty());
    const qint64 before = tests::figure(target.ask("go 100"), "allocations");
    QCOMPARE(runner.control(words("pause")).exitCode, 0);
    const qint64 meanwhile = tests::figure(target.ask("go 1000"), "allocations");
    QCOMPARE(runner.control(words("resume")).exitCode, 0);
    const qint64 after = tests::figure(target.ask("go 300"), "allocations");
    QCOMPARE(runner.control(words("stop")).exitCode, 0);
    QCOMPARE(tests::waitForExit(*recorder), 0);
    const qint64 counted
        = tests::countsOfModule(runner.report(QStringLiteral("heap")), QStringLiteral("attach_busy_now")).allocations;
    QVERIFY(before >= 300 && meanwhile >= 3000 && after >= 900);
    // And the few of the pause that were still live at its end.
    QVERIFY2(counted >= before + after && counted < before + after + 10, qPrintable(QString::number(counted)));
    QCOMPARE(target.ask("quit"), QByteArray("bye 0"));
}

void AttachHeapIntegrationTest::ctrlCEndsTheRecordingAndNotTheProgram()
{
    const GenprofRunner runner;
    Running target(GenprofRunner::target(QStringLiteral("attach_waits")), words("epoll"));
    QVERIFY(tests::readUntil(target.process(), "ready").contains("ready"));
    auto recorder = startAttach(runner, target);
    QCOMPARE(target.ask("go 70"), QByteArray("done"));
    QCOMPARE(::kill(static_cast<pid_t>(recorder->processId()), SIGINT), 0);
    QCOMPARE(tests::waitForExit(*recorder), 0);
    const auto counts = tests::countsOfModule(runner.report(QStringLiteral("heap")), QStringLiteral("attach_waits"));
    QCOMPARE(counts.allocations, 70);
    QCOMPARE(target.ask("go 5"), QByteArray("done"));
    QCOMPARE(target.ask("quit"), QByteArray("bye interrupted 0 short 0 masks 0"));
}

void AttachHeapIntegrationTest::pythonIsRecordedWhileItRuns()
{
    if (!isThere("python3"))
        QSKIP("python3 is not installed");
    const GenprofRunner runner;
    // Blocks above 512 bytes go to malloc. Python's own threads, and much of its code never called before the attach.
    Running target(QStandardPaths::findExecutable(QStringLiteral("python3")),
        {QStringLiteral("-u"), QStringLiteral("-c"), QString::fromUtf8(R"(
import sys, threading, time, json
earlier = [bytes(2000) for i in range(500)]
def work():
    while not over:
        json.loads(json.dumps({'a': [bytes(1000).hex()] * 20}))
        time.sleep(0.001)
over = False
threads = [threading.Thread(target=work) for i in range(3)]
[t.start() for t in threads]
print('ready')
for line in sys.stdin:
    if line.startswith('make'):
        kept = [bytes(3000 + i) for i in range(1000)]
        print('made')
    elif line.startswith('drop'):
        earlier = None
        print('dropped')
over = True
[t.join() for t in threads]
print('fine')
)")});
    QVERIFY(tests::readUntil(target.process(), "ready").contains("ready"));
    auto recorder = startAttach(runner, target);
    QCOMPARE(target.ask("make"), QByteArray("made"));
    QCOMPARE(target.ask("drop"), QByteArray("dropped"));
    QCOMPARE(runner.control(words("stop")).exitCode, 0);
    QCOMPARE(tests::waitForExit(*recorder), 0);
    const QJsonObject summary = runner.report(QStringLiteral("summary"));
    const QJsonValue heap = summary[QStringLiteral("heap")];
    QVERIFY(heap[QStringLiteral("live_bytes")].toInteger() > 3'000'000);
    QVERIFY(heap[QStringLiteral("live_blocks")].toInteger() >= 1000);
    QVERIFY2(heap[QStringLiteral("unknown_frees")].toInteger() >= 500,
        qPrintable(QString::number(heap[QStringLiteral("unknown_frees")].toInteger())));
    QCOMPARE(summary[QStringLiteral("losses")][QStringLiteral("events_dropped")].toInteger(-1), 0);
    QCOMPARE(summary[QStringLiteral("losses")][QStringLiteral("unknown_frees")].toInteger(-1), 0);
    target.process().closeWriteChannel();
    QVERIFY(tests::readUntil(target.process(), "fine").contains("fine"));
    QCOMPARE(tests::waitForExit(target.process()), 0);
}

void AttachHeapIntegrationTest::redisIsRecordedUnderLoad()
{
    const GenprofRunner runner;
    const QString redis = runner.redisServer();
    if (redis.isEmpty() || !isThere("redis-benchmark"))
        QSKIP("redis is not installed");
    Running target(redis,
        QStringList{QStringLiteral("--port"), QStringLiteral("0"), QStringLiteral("--unixsocket"),
            runner.path(QStringLiteral("redis")), QStringLiteral("--save"), QString()});
    QVERIFY(!tests::readUntil(target.process(), "accept").isEmpty());
    Running load(QStandardPaths::findExecutable(QStringLiteral("redis-benchmark")),
        QStringList{QStringLiteral("-s"), runner.path(QStringLiteral("redis"))}
            + words("-n 100000000 -c 8 -q -t set,lpush"));
    for (int round = 0; round < 3; ++round) {
        QFile::remove(runner.session());
        const Ran ran = runner.genprof(attach(runner, target) + words("--duration 1"));
        QCOMPARE(ran.exitCode, 0);
        const QJsonObject summary = runner.report(QStringLiteral("summary"));
        QVERIFY(summary[QStringLiteral("heap")][QStringLiteral("allocations")].toInteger() > 1000);
        QCOMPARE(summary[QStringLiteral("losses")][QStringLiteral("events_dropped")].toInteger(-1), 0);
        QCOMPARE(summary[QStringLiteral("losses")][QStringLiteral("bad_records")].toInteger(-1), 0);
        QVERIFY(target.runs() && load.runs());
    }
    load.process().kill();
    load.process().waitForFinished();
    target.process().terminate();
    QCOMPARE(tests::waitForExit(target.process()), 0);
}

void AttachHeapIntegrationTest::theRecordersDeathLeavesTheProgramRunning_data()
{
    QTest::addColumn<int>("step");
    for (const int step : {2, 6, 10, 13, 14, 15, 17, 19, 21, 27, 32, 34, 37})
        QTest::addRow("at step %d", step) << step;
    QTest::newRow("while it records") << 0;
}

void AttachHeapIntegrationTest::theRecordersDeathLeavesTheProgramRunning()
{
    QFETCH(int, step);
    const GenprofRunner runner;
    Running target(GenprofRunner::target(QStringLiteral("attach_busy_now")), words("2"));
    QVERIFY(tests::readUntil(target.process(), "ready").contains("ready"));
    if (step > 0) {
        qputenv("GENPROF_TEST_ATTACH_DIES_AT", QByteArray::number(step));
        const Ran ran = runner.genprof(attach(runner, target) + words("--duration 1"));
        qunsetenv("GENPROF_TEST_ATTACH_DIES_AT");
        QCOMPARE(ran.exitCode, -1);
    } else {
        auto recorder = startAttach(runner, target);
        QVERIFY(target.ask("go 100").startsWith("done"));
        recorder->kill();
        QVERIFY(recorder->waitForFinished());
    }
    // More than the rings hold: the dead recorder is noticed.
    QVERIFY(target.ask("go 20000").startsWith("done"));
    QFile::remove(runner.session());
    const Ran again = runner.genprof(attach(runner, target) + words("--duration 1"));
    QCOMPARE(again.exitCode, 0);
    QCOMPARE(firstImage(runner.report(QStringLiteral("summary")))[QStringLiteral("heap_state")].toString(),
        QStringLiteral("attached"));
    QCOMPARE(target.ask("quit"), QByteArray("bye 0"));
}

void AttachHeapIntegrationTest::whatCannotBeTracedIsSaidAndTheRestRecorded()
{
    const GenprofRunner runner;
    Running debugged(GenprofRunner::target(QStringLiteral("attach_busy_now")), words("1"));
    QVERIFY(tests::readUntil(debugged.process(), "ready").contains("ready"));
    const qint64 pid = debugged.process().processId();
    QCOMPARE(::kill(static_cast<pid_t>(pid), SIGSTOP), 0);
    QTRY_VERIFY(runner.genprof({QStringLiteral("doctor"), debugged.pid()}).out.contains("kill -CONT"));
    const Ran ran = runner.genprof(attach(runner, debugged) + words("--duration 1"));
    QCOMPARE(ran.exitCode, 4); // what was asked for is missing
    QVERIFY2(ran.err.contains("stopped by a signal"), ran.err.constData());
    const QJsonObject summary = runner.report(QStringLiteral("summary"));
    QCOMPARE(firstImage(summary)[QStringLiteral("heap_state")].toString(), QStringLiteral("not_traced"));
    QVERIFY(firstImage(summary)[QStringLiteral("heap_note")].toString().contains(u"stopped by a signal"));
    QVERIFY(summary[QStringLiteral("ticks")].toInteger() > 3);
    QCOMPARE(::kill(static_cast<pid_t>(pid), SIGCONT), 0);
    QCOMPARE(debugged.ask("quit"), QByteArray("bye 0"));
}

void AttachHeapIntegrationTest::doctorExaminesAProcess_data()
{
    QTest::addColumn<QString>("program");
    QTest::addColumn<QStringList>("arguments");
    QTest::addColumn<int>("exitCode");
    QTest::addColumn<QByteArray>("says");
    const auto target = [](const char *name) { return GenprofRunner::target(QString::fromLatin1(name)); };
    QTest::newRow("usual") << target("attach_waits") << words("read") << 0
                           << QByteArray("dynamically linked with glibc");
    QTest::newRow("static") << target("static_waits") << words("read") << 1 << QByteArray("statically linked");
    QTest::newRow("sanitized") << target("sanitized_waits") << words("read") << 1 << QByteArray("sanitizer");
}

void AttachHeapIntegrationTest::doctorExaminesAProcess()
{
    QFETCH(QString, program);
    QFETCH(QStringList, arguments);
    QFETCH(int, exitCode);
    QFETCH(QByteArray, says);
    const GenprofRunner runner;
    Running target(program, arguments);
    QVERIFY(tests::readUntil(target.process(), "ready").contains("ready"));
    const Ran ran = runner.genprof({QStringLiteral("doctor"), target.pid()});
    QCOMPARE(ran.exitCode, exitCode);
    QVERIFY2(ran.out.contains(says), ran.out.constData());
    const Ran json = runner.genprof({QStringLiteral("doctor"), QStringLiteral("--json"), target.pid()});
    QVERIFY(QJsonDocument::fromJson(json.out)[QStringLiteral("capabilities")].toArray().size() >= 7);
}

void AttachHeapIntegrationTest::doctorSaysThatThereIsNoProcess()
{
    const Ran ran = GenprofRunner().genprof(words("doctor 2147483647")); // above what the kernel gives out
    QCOMPARE(ran.exitCode, 1);
    QVERIFY2(ran.out.contains("There is no process"), ran.out.constData());
    QVERIFY2(!ran.out.contains("Children"), ran.out.constData());
}

QTEST_GUILESS_MAIN(AttachHeapIntegrationTest)
#include "attach_heap_integration_test.moc"
