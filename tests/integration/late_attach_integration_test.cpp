// SPDX-License-Identifier: GPL-3.0-or-later
// Programs that begin in a recorded tree without the tracer: those executed under an attach, and those whose environment was not handed on.
// tests/targets/prefork_server says what each process did.
#include "tests/integration/genprof_runner.h"

#include <QDir>
#include <QElapsedTimer>
#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QMap>
#include <QTest>

#include <memory>

using tests::GenprofRunner;

namespace {

QStringList words(const char *line) { return QString::fromUtf8(line).split(u' '); }

/// The last image of each process, by pid.
QMap<qint64, QJsonObject> imagesOf(const GenprofRunner &runner)
{
    QMap<qint64, QJsonObject> images;
    const QJsonObject summary = runner.report(QStringLiteral("summary"));
    for (const QJsonValue process : summary[QStringLiteral("processes")].toArray())
        images.insert(
            process[QStringLiteral("pid")].toInteger(), process[QStringLiteral("images")].toArray().last().toObject());
    return images;
}

/// Waits until so many processes run PROGRAM with this heap state; their images.
QMap<qint64, QJsonObject> waitFor(
    const GenprofRunner &runner, const QString &program, const QString &state, qsizetype count)
{
    QMap<qint64, QJsonObject> found;
    QElapsedTimer timer;
    for (timer.start(); timer.elapsed() < 20'000 && found.size() < count; QTest::qWait(100)) {
        found.clear();
        const auto images = imagesOf(runner);
        for (auto it = images.begin(); it != images.end(); ++it)
            if (it.value()[QStringLiteral("executable")].toString().endsWith(program)
                && it.value()[QStringLiteral("heap_state")].toString() == state)
                found.insert(it.key(), it.value());
    }
    if (found.size() < count)
        for (const QJsonObject &image : imagesOf(runner))
            qWarning("%s", QJsonDocument(image).toJson(QJsonDocument::Compact).constData());
    return found;
}

/// How many memories a recorder shares with programs.
qsizetype openMemories(qint64 pid)
{
    qsizetype count = 0;
    const QDir folder(QStringLiteral("/proc/%1/fd").arg(pid));
    for (const QString &name : folder.entryList(QDir::NoDotAndDotDot | QDir::System | QDir::Files))
        count += QFile::symLinkTarget(folder.filePath(name)).contains(QStringLiteral("genesis-heap")) ? 1 : 0;
    return count;
}

/// The figures of the prefork servers that answer on `process`: pid, allocations and frees of each.
QList<QList<qint64>> ask(QProcess &process, const QByteArray &line)
{
    process.write(line + '\n');
    QList<QList<qint64>> all;
    for (const QByteArray &part : tests::readUntil(process, "\n").trimmed().split(' ').mid(1)) {
        QList<qint64> numbers;
        for (const QByteArray &number : part.split(':'))
            numbers.append(number.toLongLong());
        all.append(numbers);
    }
    return all;
}

/// A shell that does as it is told by lines on its stdin, and is attached to.
class AttachedShell
{
public:
    explicit AttachedShell(const GenprofRunner &runner)
        : m_runner(runner)
    {
        m_process.start(QStringLiteral("bash"), {QStringLiteral("--norc"), QStringLiteral("-s")});
        m_process.waitForStarted();
        m_recorder = runner.start({QStringLiteral("attach"), QStringLiteral("--heap"), QStringLiteral("full"),
            QStringLiteral("--cpu"), QStringLiteral("off"), QStringLiteral("--tick"), QStringLiteral("100"),
            QStringLiteral("-o"), runner.session(), QString::number(m_process.processId())});
        if (runner.waitForStatus().isEmpty())
            qWarning("no recording: %s", m_recorder->readAllStandardError().constData());
    }
    ~AttachedShell()
    {
        m_process.closeWriteChannel();
        if (!m_process.waitForFinished(5000))
            m_process.kill();
        m_process.waitForFinished();
    }
    QProcess &process() { return m_process; }
    qint64 pid() const { return m_process.processId(); }
    void tell(const QString &line) { m_process.write(line.toLocal8Bit() + '\n'); }
    bool stop()
    {
        return m_runner.control({QStringLiteral("stop")}).exitCode == 0 && tests::waitForExit(*m_recorder) == 0;
    }

private:
    const GenprofRunner &m_runner;
    QProcess m_process;
    std::unique_ptr<QProcess> m_recorder;
};

void compare(const GenprofRunner &runner, const QList<QList<qint64>> &truth)
{
    for (const QList<qint64> &process : truth) {
        const QJsonObject heap
            = runner.report(QStringLiteral("heap"), {QStringLiteral("--process"), QString::number(process.value(0))});
        const auto counts = tests::countsOfModule(heap, QStringLiteral("prefork_server"));
        QCOMPARE(counts.allocations, process.value(1));
        QCOMPARE(counts.frees, process.value(2));
    }
}

} // namespace

class LateAttachIntegrationTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void whatIsExecutedUnderAnAttachIsAttachedTo_data();
    void whatIsExecutedUnderAnAttachIsAttachedTo();
    void whatLosesItsEnvironmentIsAttachedTo_data();
    void whatLosesItsEnvironmentIsAttachedTo();
    void itsExitStatusIsTheCommands_data();
    void itsExitStatusIsTheCommands();
    void whatCannotBeTracedSaysWhy();
    void whatWasHeldIsGoneWithTheProgram();
    void ignoredChildrenAreLeftAlone();
};

void LateAttachIntegrationTest::whatIsExecutedUnderAnAttachIsAttachedTo_data()
{
    QTest::addColumn<QString>("command");
    QTest::newRow("a child") << QStringLiteral("%1 1 1");
    QTest::newRow("with an environment of its own") << QStringLiteral("env -i %1 1 1");
    QTest::newRow("the process itself") << QStringLiteral("exec %1 1 1");
}

void LateAttachIntegrationTest::whatIsExecutedUnderAnAttachIsAttachedTo()
{
    QFETCH(QString, command);
    const GenprofRunner runner;
    AttachedShell shell(runner);
    shell.tell(command.arg(GenprofRunner::target(QStringLiteral("prefork_server"))));
    QVERIFY(tests::readUntil(shell.process(), "ready").contains("ready"));
    const auto images = waitFor(runner, QStringLiteral("/prefork_server"), QStringLiteral("attached"), 3);
    QCOMPARE(images.size(), 3);
    const auto truth = ask(shell.process(), "go 500");
    QCOMPARE(truth.size(), 3);
    QVERIFY(shell.stop());
    compare(runner, truth);
    QCOMPARE(ask(shell.process(), "go 10").size(), 3); // and all of them go on
    for (const QJsonObject &image : images) {
        const QString note = image[QStringLiteral("heap_note")].toString();
        QVERIFY2(note.contains(QStringLiteral("blocks from before are not known")), qPrintable(note));
    }
    const QJsonObject summary = runner.report(QStringLiteral("summary"));
    for (const char *loss : {"events_dropped", "bad_records", "unknown_frees"})
        QCOMPARE(summary[QStringLiteral("losses")][QLatin1String(loss)].toInteger(-1), 0);
    shell.process().write("quit\n");
    QVERIFY(tests::readUntil(shell.process(), "bye").contains("bye 0"));
}

void LateAttachIntegrationTest::whatLosesItsEnvironmentIsAttachedTo_data()
{
    QTest::addColumn<QStringList>("prefix");
    QTest::newRow("all of it") << words("env -i");
    QTest::newRow("an LD_PRELOAD of its own") << words("env LD_PRELOAD=libdl.so.2");
}

void LateAttachIntegrationTest::whatLosesItsEnvironmentIsAttachedTo()
{
    QFETCH(QStringList, prefix);
    const GenprofRunner runner;
    const auto recorder = runner.startRecording(words("-q --heap full --cpu off --tick 100"),
        prefix + QStringList{GenprofRunner::target(QStringLiteral("prefork_server"))} + words("1 1"));
    QVERIFY(tests::readUntil(*recorder, "ready").contains("ready"));
    const auto images = waitFor(runner, QStringLiteral("/prefork_server"), QStringLiteral("attached"), 3);
    QCOMPARE(images.size(), 3);
    const auto truth = ask(*recorder, "go 500");
    QCOMPARE(truth.size(), 3);
    recorder->write("quit\n");
    QVERIFY(tests::readUntil(*recorder, "bye").contains("bye 0"));
    QCOMPARE(tests::waitForExit(*recorder), 0);
    compare(runner, truth);
}

void LateAttachIntegrationTest::itsExitStatusIsTheCommands_data()
{
    QTest::addColumn<QString>("end");
    QTest::addColumn<int>("status");
    QTest::newRow("an exit status") << QStringLiteral("exit 7") << 7;
    QTest::newRow("a signal") << QStringLiteral("kill -9 $$") << 128 + 9;
}

void LateAttachIntegrationTest::itsExitStatusIsTheCommands()
{
    QFETCH(QString, end);
    QFETCH(int, status);
    const GenprofRunner runner;
    const auto recorder = runner.startRecording(words("-q --heap full --cpu off --tick 100"),
        words("env -i bash --norc -c") + QStringList{QStringLiteral("echo ready; read line; %1").arg(end)});
    QVERIFY(tests::readUntil(*recorder, "ready").contains("ready"));
    QCOMPARE(waitFor(runner, QStringLiteral("/bash"), QStringLiteral("attached"), 1).size(), 1);
    recorder->write("\n");
    QCOMPARE(tests::waitForExit(*recorder), status);
}

void LateAttachIntegrationTest::whatCannotBeTracedSaysWhy()
{
    const GenprofRunner runner;
    AttachedShell shell(runner);
    shell.tell(QStringLiteral("%1 read").arg(GenprofRunner::target(QStringLiteral("static_waits"))));
    const auto images = waitFor(runner, QStringLiteral("/static_waits"), QStringLiteral("not_traced"), 1);
    QCOMPARE(images.size(), 1);
    const QString why = images.first()[QStringLiteral("heap_note")].toString();
    QVERIFY2(why.contains(QStringLiteral("statically linked")), qPrintable(why));
    QVERIFY(shell.stop());
}

/// A shell that holds three megabytes executes a program that cannot be traced: its memory is given back to the recorder's books, too.
void LateAttachIntegrationTest::whatWasHeldIsGoneWithTheProgram()
{
    const GenprofRunner runner;
    const auto recorder = runner.startRecording(words("-q --heap full --cpu off --tick 100"),
        {QStringLiteral("bash"), QStringLiteral("-c"),
            QStringLiteral("x=$(head -c 3000000 /dev/zero | tr '\\0' x); read line; exec %1 read")
                .arg(GenprofRunner::target(QStringLiteral("static_waits")))});
    const auto figures = [&] {
        return runner
            .genprof(
                {QStringLiteral("report"), QStringLiteral("--format"), QStringLiteral("prometheus"), runner.session()})
            .out;
    };
    const auto liveBlocks = [&] {
        const QByteArray text = figures();
        return tests::figure(text.mid(text.indexOf("\ngenesis_heap_live_blocks")), "genesis_heap_live_blocks");
    };
    QTRY_VERIFY_WITH_TIMEOUT(figures().contains("kind=\"live_heap\""), 20'000);
    QTRY_VERIFY_WITH_TIMEOUT(liveBlocks() > 100, 20'000);
    QTRY_COMPARE_WITH_TIMEOUT(openMemories(recorder->processId()), 1, 20'000);
    recorder->write("\n");
    QVERIFY(tests::readUntil(*recorder, "ready").contains("ready"));
    QTRY_COMPARE_WITH_TIMEOUT(liveBlocks(), 0, 20'000);
    QVERIFY(!figures().contains("kind=\"live_heap\""));
    QTRY_COMPARE_WITH_TIMEOUT(openMemories(recorder->processId()), 0, 20'000);
    recorder->closeWriteChannel();
    QCOMPARE(tests::waitForExit(*recorder), 0);
}

void LateAttachIntegrationTest::ignoredChildrenAreLeftAlone()
{
    const GenprofRunner runner;
    const auto recorder = runner.startRecording(words("-q --heap full --cpu off --tick 100 --children ignore"),
        {QStringLiteral("bash"), QStringLiteral("-c"),
            QStringLiteral("env -i %1 1 1; true").arg(GenprofRunner::target(QStringLiteral("prefork_server")))});
    QVERIFY(tests::readUntil(*recorder, "ready").contains("ready"));
    while (runner.status()[QStringLiteral("ticks")].toInteger() < 15)
        QTest::qWait(50);
    for (const QList<qint64> &process : ask(*recorder, "go 5")) {
        QFile maps(QStringLiteral("/proc/%1/maps").arg(process.value(0)));
        QVERIFY(maps.open(QIODevice::ReadOnly));
        QVERIFY(!maps.readAll().contains("heaptracer"));
    }
    recorder->write("quit\n");
    QCOMPARE(tests::waitForExit(*recorder), 0);
}

QTEST_GUILESS_MAIN(LateAttachIntegrationTest)
#include "late_attach_integration_test.moc"
