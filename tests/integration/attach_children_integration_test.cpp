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

} // namespace

class AttachChildrenIntegrationTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void cpuTimeOfTheWholeTreeIsSampled_data();
    void cpuTimeOfTheWholeTreeIsSampled();
    void systemCallsOfTheWholeTreeAreCounted_data();
    void systemCallsOfTheWholeTreeAreCounted();
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

QTEST_GUILESS_MAIN(AttachChildrenIntegrationTest)
#include "attach_children_integration_test.moc"
