// SPDX-License-Identifier: GPL-3.0-or-later
// genprof attach to a server that has its children already; tests/targets/prefork_server says what each process did.
#include "tests/integration/genprof_runner.h"

#include <QFile>
#include <QJsonArray>
#include <QMap>
#include <QTest>

#include <csignal>
#include <memory>

using tests::GenprofRunner;
using tests::Ran;

namespace {

QStringList words(const char *line) { return QString::fromUtf8(line).split(u' '); }

/// The server, until the end of the test.
class Server
{
public:
    explicit Server(const char *size, const QStringList &program = {})
    {
        m_process.start(GenprofRunner::target(QStringLiteral("prefork_server")), words(size) + program);
        m_isReady = tests::readUntil(m_process, "ready").contains("ready");
    }
    ~Server()
    {
        m_process.closeWriteChannel();
        if (!m_process.waitForFinished(5000))
            m_process.kill();
        m_process.waitForFinished();
    }
    bool isReady() const { return m_isReady; }
    QString pid() const { return QString::number(m_process.processId()); }
    QByteArray ask(const QByteArray &line)
    {
        m_process.write(line + '\n');
        return tests::readUntil(m_process, "\n").trimmed();
    }
    /// The figures of each process in an answer.
    QMap<qint64, QList<qint64>> figures(const QByteArray &line)
    {
        QMap<qint64, QList<qint64>> all;
        QList<QByteArray> parts = ask(line).split(' ');
        for (qsizetype i = 1; i < parts.size(); ++i) {
            QList<qint64> numbers;
            for (const QByteArray &number : parts[i].split(':'))
                numbers.append(number.toLongLong());
            all.insert(numbers.takeFirst(), numbers);
        }
        return all;
    }

private:
    QProcess m_process;
    bool m_isReady = false;
};

std::unique_ptr<QProcess> startAttach(const GenprofRunner &runner, const Server &server, const QStringList &options)
{
    QFile::remove(runner.session());
    auto recorder = runner.start(QStringList{QStringLiteral("attach")} + options
        + QStringList{
            QStringLiteral("--tick"), QStringLiteral("100"), QStringLiteral("-o"), runner.session(), server.pid()});
    if (runner.waitForStatus().isEmpty())
        qWarning("no recording: %s", recorder->readAllStandardError().constData());
    return recorder;
}

bool stop(const GenprofRunner &runner, QProcess &recorder)
{
    return runner.control(words("stop")).exitCode == 0 && tests::waitForExit(recorder) == 0;
}

QStringList ofProcess(qint64 pid) { return {QStringLiteral("--process"), QString::number(pid)}; }

void compare(const GenprofRunner &runner, qint64 pid, const QList<qint64> &truth)
{
    const QJsonObject heap = runner.report(QStringLiteral("heap"), ofProcess(pid));
    const auto counts = tests::countsOfModule(heap, QStringLiteral("prefork_server"));
    QCOMPARE(counts.allocations, truth.value(0));
    QCOMPARE(counts.frees, truth.value(1));
}

QString stateOf(const QJsonObject &process)
{
    return process[QStringLiteral("images")][0][QStringLiteral("heap_state")].toString();
}

} // namespace

class AttachChildrenIntegrationTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void cpuTimeOfTheWholeTreeIsSampled_data();
    void cpuTimeOfTheWholeTreeIsSampled();
    void systemCallsOfTheWholeTreeAreCounted_data();
    void systemCallsOfTheWholeTreeAreCounted();
    void everyProcessOfTheTreeIsTracedExactly_data();
    void everyProcessOfTheTreeIsTracedExactly();
    void ignoredChildrenAreLeftAlone();
    void childrenMayComeAndGoDuringTheAttach();
    void whatCannotBeTracedIsNamedAndTheRestRecorded();
    void aChildThatAnotherRecordsIsNamed();
    void theRecordersDeathLeavesAllRunning_data();
    void theRecordersDeathLeavesAllRunning();
};

void AttachChildrenIntegrationTest::cpuTimeOfTheWholeTreeIsSampled_data()
{
    QTest::addColumn<QString>("children");
    QTest::addColumn<bool>("isChurning");
    QTest::newRow("follow") << QStringLiteral("follow") << false;
    QTest::newRow("follow, while children are started") << QStringLiteral("follow") << true;
    QTest::newRow("ignore") << QStringLiteral("ignore") << false;
}

void AttachChildrenIntegrationTest::cpuTimeOfTheWholeTreeIsSampled()
{
    QFETCH(QString, children);
    QFETCH(bool, isChurning);
    const GenprofRunner runner;
    if (const QString denied = runner.deniedBecause(QStringLiteral("cpu_sampling")); !denied.isEmpty())
        QSKIP(qPrintable(denied));
    Server server("4 2");
    QVERIFY(server.isReady());
    if (isChurning)
        QCOMPARE(server.ask("churn"), QByteArray("churn"));
    const auto recorder = startAttach(runner, server, words("--heap off --cpu 499 --children") + QStringList{children});
    if (isChurning)
        QCOMPARE(server.ask("quiet"), QByteArray("quiet"));
    const auto truth = server.figures("burn 300");
    QVERIFY(stop(runner, *recorder));
    QCOMPARE(truth.size(), 6);
    const auto cpuUs = [&](const QStringList &options) {
        const QJsonObject cpu = runner.report(QStringLiteral("cpu"), options);
        return cpu[QStringLiteral("cpu")][QStringLiteral("time_ns")].toInteger() / 1000;
    };
    if (children == QStringLiteral("ignore")) {
        QCOMPARE(runner.report(QStringLiteral("summary"))[QStringLiteral("processes")].toArray().size(), 1);
        QVERIFY(cpuUs({}) < 100'000);
        return;
    }
    for (auto it = truth.begin(); it != truth.end(); ++it) {
        const qint64 burnt = it.value().front();
        if (burnt == 0)
            continue; // the parent
        const qint64 sampled = cpuUs(ofProcess(it.key()));
        // Each thread once: twice would be 100 % more, and one of two threads 50 % less.
        QVERIFY2(sampled > burnt * 3 / 4 && sampled < burnt * 4 / 3 + (isChurning ? 400'000 : 0),
            qPrintable(QStringLiteral("%1 us sampled of %2 us").arg(sampled).arg(burnt)));
    }
}

void AttachChildrenIntegrationTest::systemCallsOfTheWholeTreeAreCounted_data()
{
    QTest::addColumn<bool>("isChurning");
    QTest::newRow("a tree that stays") << false;
    QTest::newRow("while children are started") << true;
}

void AttachChildrenIntegrationTest::systemCallsOfTheWholeTreeAreCounted()
{
    QFETCH(bool, isChurning);
    const GenprofRunner runner;
    if (const QString denied = runner.deniedBecause(QStringLiteral("system_calls")); !denied.isEmpty())
        QSKIP(qPrintable(denied));
    Server server("3 2");
    QVERIFY(server.isReady());
    if (isChurning)
        QCOMPARE(server.ask("churn"), QByteArray("churn"));
    const auto recorder = startAttach(runner, server, words("--heap off --cpu off --syscalls"));
    if (isChurning)
        QCOMPARE(server.ask("quiet"), QByteArray("quiet"));
    const auto truth = server.figures("call 500");
    QVERIFY(stop(runner, *recorder));
    for (auto it = truth.begin(); it != truth.end(); ++it) {
        qint64 counted = 0;
        const QJsonObject report = runner.report(QStringLiteral("syscalls"), ofProcess(it.key()));
        for (const QJsonValue call : report[QStringLiteral("totals")].toArray())
            if (call[QStringLiteral("call")].toString() == QStringLiteral("getppid"))
                counted += call[QStringLiteral("count")].toInteger();
        QCOMPARE(counted, it.value().front());
    }
}

void AttachChildrenIntegrationTest::everyProcessOfTheTreeIsTracedExactly_data()
{
    QTest::addColumn<QByteArray>("size");
    QTest::newRow("3 children") << QByteArray("3 2");
    QTest::newRow("32 children") << QByteArray("32 2");
}

/// Twice: the second attach finds the library in all of them.
void AttachChildrenIntegrationTest::everyProcessOfTheTreeIsTracedExactly()
{
    QFETCH(QByteArray, size);
    const GenprofRunner runner;
    Server server(size.constData());
    QVERIFY(server.isReady());
    for (int round = 0; round < 2; ++round) {
        const auto recorder = startAttach(runner, server, words("--heap full --cpu off"));
        const auto truth = server.figures("go 500");
        QVERIFY(stop(runner, *recorder));
        server.figures("go 10"); // and all of them go on
        QCOMPARE(truth.size(), size.split(' ').first().toLongLong() + 2);
        for (auto it = truth.begin(); it != truth.end(); ++it)
            compare(runner, it.key(), it.value());
        const QJsonObject summary = runner.report(QStringLiteral("summary"));
        for (const QJsonValue process : summary[QStringLiteral("processes")].toArray())
            QCOMPARE(stateOf(process.toObject()), QStringLiteral("attached"));
        for (const char *loss : {"events_dropped", "bad_records", "heap_not_traced", "unknown_frees"})
            QCOMPARE(summary[QStringLiteral("losses")][QLatin1String(loss)].toInteger(-1), 0);
    }
    QCOMPARE(server.ask("quit"), QByteArray("bye 0"));
}

void AttachChildrenIntegrationTest::ignoredChildrenAreLeftAlone()
{
    const GenprofRunner runner;
    Server server("2 1");
    QVERIFY(server.isReady());
    const auto recorder = startAttach(runner, server, words("--heap full --cpu off --children ignore"));
    const auto truth = server.figures("go 300");
    QVERIFY(stop(runner, *recorder));
    const QJsonArray processes = runner.report(QStringLiteral("summary"))[QStringLiteral("processes")].toArray();
    QCOMPARE(processes.size(), 1);
    QCOMPARE(processes[0][QStringLiteral("pid")].toInteger(), server.pid().toLongLong());
    compare(runner, server.pid().toLongLong(), truth[server.pid().toLongLong()]);
    for (auto it = truth.begin(); it != truth.end(); ++it) {
        QFile maps(QStringLiteral("/proc/%1/maps").arg(it.key()));
        QVERIFY(maps.open(QIODevice::ReadOnly));
        QCOMPARE(maps.readAll().contains("heaptracer"), it.key() == server.pid().toLongLong());
    }
    QCOMPARE(server.ask("quit"), QByteArray("bye 0"));
}

void AttachChildrenIntegrationTest::childrenMayComeAndGoDuringTheAttach()
{
    const GenprofRunner runner;
    Server server("4 2");
    QVERIFY(server.isReady());
    for (int round = 0; round < 5; ++round) {
        QCOMPARE(server.ask("churn"), QByteArray("churn"));
        const auto recorder = startAttach(runner, server, words("--heap full --cpu off"));
        QCOMPARE(server.ask("quiet"), QByteArray("quiet"));
        if (round == 4)
            QCOMPARE(server.ask("drop"), QByteArray("dropped"));
        const auto truth = server.figures("go 200");
        QVERIFY(stop(runner, *recorder));
        for (auto it = truth.begin(); it != truth.end(); ++it)
            compare(runner, it.key(), it.value());
        const QJsonObject summary = runner.report(QStringLiteral("summary"));
        QCOMPARE(summary[QStringLiteral("losses")][QStringLiteral("heap_not_traced")].toInteger(-1), 0);
        QCOMPARE(summary[QStringLiteral("losses")][QStringLiteral("events_dropped")].toInteger(-1), 0);
    }
    QCOMPARE(server.ask("quit"), QByteArray("bye 0"));
}

void AttachChildrenIntegrationTest::whatCannotBeTracedIsNamedAndTheRestRecorded()
{
    const GenprofRunner runner;
    Server server("2 1", {GenprofRunner::target(QStringLiteral("static_waits")), QStringLiteral("read")});
    QVERIFY(server.isReady());
    const auto recorder = startAttach(runner, server, words("--heap full --cpu off"));
    const auto truth = server.figures("go 300");
    QVERIFY(stop(runner, *recorder));
    const QByteArray said = recorder->readAllStandardError();
    QVERIFY2(said.contains("static_waits (") && said.contains("statically linked"), said.constData());
    for (auto it = truth.begin(); it != truth.end(); ++it)
        compare(runner, it.key(), it.value());
    const QJsonObject summary = runner.report(QStringLiteral("summary"));
    QCOMPARE(summary[QStringLiteral("losses")][QStringLiteral("heap_not_traced")].toInteger(-1), 1);
    int untraced = 0;
    for (const QJsonValue process : summary[QStringLiteral("processes")].toArray()) {
        if (stateOf(process.toObject()) == QStringLiteral("attached"))
            continue;
        ++untraced;
        QCOMPARE(stateOf(process.toObject()), QStringLiteral("not_traced"));
        const QJsonValue image = process[QStringLiteral("images")][0];
        QVERIFY(image[QStringLiteral("heap_note")].toString().contains(QStringLiteral("statically linked")));
    }
    QCOMPARE(untraced, 1);
    const QByteArray text = runner.genprof({QStringLiteral("report"), runner.session()}).out;
    QVERIFY2(text.contains("partial"), text.constData());
}

void AttachChildrenIntegrationTest::aChildThatAnotherRecordsIsNamed()
{
    const GenprofRunner runner, other;
    Server server("2 1");
    QVERIFY(server.isReady());
    const auto before = server.figures("go 1");
    const qint64 child = before.lastKey();
    const auto first = other.start(QStringList{QStringLiteral("attach")} + words("--heap full --cpu off -o")
        + QStringList{other.session(), QString::number(child)});
    QVERIFY(!other.waitForStatus().isEmpty());
    const auto recorder = startAttach(runner, server, words("--heap full --cpu off"));
    const auto truth = server.figures("go 300");
    QVERIFY(stop(runner, *recorder));
    const QByteArray said = recorder->readAllStandardError();
    QVERIFY2(said.contains("another recorder traces its heap already"), said.constData());
    for (auto it = truth.begin(); it != truth.end(); ++it)
        if (it.key() != child)
            compare(runner, it.key(), it.value());
    QVERIFY(stop(other, *first));
    compare(other, child, truth[child]); // and the other recording lost nothing
    QCOMPARE(server.ask("quit"), QByteArray("bye 0"));
}

void AttachChildrenIntegrationTest::theRecordersDeathLeavesAllRunning_data()
{
    QTest::addColumn<int>("step");
    for (const int step : {20, 25, 31, 37, 44, 52, 60})
        QTest::addRow("at step %d", step) << step;
    QTest::newRow("while it records") << 0;
}

void AttachChildrenIntegrationTest::theRecordersDeathLeavesAllRunning()
{
    QFETCH(int, step);
    const GenprofRunner runner;
    Server server("3 2");
    QVERIFY(server.isReady());
    if (step > 0) {
        qputenv("GENPROF_TEST_ATTACH_DIES_AT", QByteArray::number(step));
        const Ran ran = runner.genprof(QStringList{QStringLiteral("attach")}
            + words("--heap full --cpu off --duration 1 -o") + QStringList{runner.session(), server.pid()});
        qunsetenv("GENPROF_TEST_ATTACH_DIES_AT");
        QCOMPARE(ran.exitCode, -1);
    } else {
        const auto recorder = startAttach(runner, server, words("--heap full --cpu off"));
        recorder->kill();
        QVERIFY(recorder->waitForFinished());
    }
    QCOMPARE(server.figures("go 20000").size(), 5); // more than the rings hold: the dead recorder is noticed
    const auto recorder = startAttach(runner, server, words("--heap full --cpu off"));
    const auto truth = server.figures("go 300");
    QVERIFY(stop(runner, *recorder));
    for (auto it = truth.begin(); it != truth.end(); ++it)
        compare(runner, it.key(), it.value());
    QCOMPARE(server.ask("quit"), QByteArray("bye 0"));
}

QTEST_GUILESS_MAIN(AttachChildrenIntegrationTest)
#include "attach_children_integration_test.moc"
