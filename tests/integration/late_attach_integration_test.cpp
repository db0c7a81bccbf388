// SPDX-License-Identifier: GPL-3.0-or-later
// Programs that begin in a recorded tree without the tracer: those executed under an attach, and those whose environment was not handed on.
// tests/targets/prefork_server says what each process did.
#include "tests/integration/genprof_runner.h"

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
    void whatCannotBeTracedSaysWhy();
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
    // With CPU samples: the kernel's records of each exec are in their order, which looks at /proc are not.
    const auto recorder = runner.startRecording(words("-q --heap full --tick 100"),
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
