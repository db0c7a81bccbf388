// SPDX-License-Identifier: GPL-3.0-or-later
// Every case of tests/targets/hostile, alone and recorded: it prints the same and ends the same. Each with the whole heap; GENESIS_LONG_TESTS=1:
// sampled, stepping from one to the other, and attached to as well.
#include "tests/integration/genprof_runner.h"

#include <QElapsedTimer>
#include <QFile>
#include <QJsonObject>
#include <QTest>

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <initializer_list>

using tests::GenprofRunner;

namespace {

constexpr const char *kPrograms[] = {"signals", "stacks", "threads", "children", "limits", "sandbox", "loading",
    "arguments", "ends", "own_malloc", "plugins"};

QStringList words(const char *line) { return QString::fromUtf8(line).split(u' '); }

QString pathOf(const QString &program) { return GenprofRunner::target(QStringLiteral("hostile_") + program); }

struct End
{
    int status = -1; ///< as a shell says it: 128 and the signal
    QByteArray out;
    QByteArray err;
};

/// Waits for a process that was started.
End endOf(QProcess &process)
{
    process.closeWriteChannel();
    End end;
    if (!process.waitForFinished(60'000)) {
        process.kill();
        process.waitForFinished();
        end.err = "did not end in time";
        return end;
    }
    end.status = process.exitStatus() == QProcess::NormalExit ? process.exitCode() : 128 + process.exitCode();
    end.out = process.readAllStandardOutput();
    end.err = process.readAllStandardError();
    return end;
}

std::unique_ptr<QProcess> waiting(const QString &program, const QString &name)
{
    auto process = std::make_unique<QProcess>();
    process->start(pathOf(program), {QStringLiteral("--wait"), name});
    process->waitForStarted();
    return process;
}

} // namespace

class HostileIntegrationTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void isTheSameWhenRecorded_data();
    void isTheSameWhenRecorded();
    void aStalledRecorderHoldsUpAsFarAsIsAllowed_data();
    void aStalledRecorderHoldsUpAsFarAsIsAllowed();
    void dropsInTheMiddleOfAReallocAreToldAsDrops();
    void aSilentRecorderHoldsUpOnce_data();
    void aSilentRecorderHoldsUpOnce();

private:
    static End recorded(const GenprofRunner &runner, const QString &program, const QString &name, const QString &mode);
    static End attached(const GenprofRunner &runner, const QString &program, const QString &name);
};

void HostileIntegrationTest::isTheSameWhenRecorded_data()
{
    QTest::addColumn<QString>("program");
    QTest::addColumn<QString>("name");
    QTest::addColumn<char>("traced");
    QTest::addColumn<QString>("mode");
    const bool isLong = qEnvironmentVariableIntValue("GENESIS_LONG_TESTS") != 0;
    const QStringList modes = isLong ? words("full sampled auto=0.1% attach") : words("full");
    const GenprofRunner runner;
    for (const char *text : kPrograms) {
        const QString program = QString::fromUtf8(text);
        const QByteArray list = runner.run(pathOf(program), words("--list")).out;
        QVERIFY2(!list.isEmpty(), text);
        for (QString name : QString::fromUtf8(list).split(u'\n', Qt::SkipEmptyParts)) {
            const char traced = name[0] == u'!' || name[0] == u'~' ? name[0].toLatin1() : ' ';
            if (traced != ' ')
                name.remove(0, 1);
            for (const QString &mode : modes)
                QTest::addRow("%s %s %s", text, qPrintable(name), qPrintable(mode))
                    << program << name << traced << mode;
        }
    }
}

End HostileIntegrationTest::recorded(
    const GenprofRunner &runner, const QString &program, const QString &name, const QString &mode)
{
    QProcess process;
    process.start(GenprofRunner::program(),
        words("record -q --cpu off -o")
            + QStringList{
                runner.session(), QStringLiteral("--heap"), mode, QStringLiteral("--"), pathOf(program), name});
    return endOf(process);
}

End HostileIntegrationTest::attached(const GenprofRunner &runner, const QString &program, const QString &name)
{
    const auto target = waiting(program, name);
    if (!tests::readUntil(*target, "ready").contains("ready"))
        return {};
    const auto recorder = runner.start(words("attach -q --heap full --cpu off -o")
        + QStringList{runner.session(), QString::number(target->processId())});
    if (runner.waitForStatus().isEmpty())
        return {-1, {}, recorder->readAllStandardError()};
    target->write("\n");
    End end = endOf(*target);
    end.out.prepend("ready\n");
    const End recording = endOf(*recorder);
    constexpr int kHeapNotAttached = 4;
    if (recording.status != 0 && recording.status != kHeapNotAttached)
        end.err += "recorder: " + recording.err;
    return end;
}

void HostileIntegrationTest::isTheSameWhenRecorded()
{
    QFETCH(QString, program);
    QFETCH(QString, name);
    QFETCH(char, traced);
    QFETCH(QString, mode);
    const GenprofRunner runner;
    const bool isAttach = mode == QStringLiteral("attach");
    const auto alone = waiting(program, name);
    alone->write("\n");
    End plain = endOf(*alone);
    if (!isAttach)
        plain.out.remove(0, static_cast<qsizetype>(qstrlen("ready\n")));
    QVERIFY2(!plain.out.contains("end 1031") && !plain.out.contains("end 97"), "it does not do what it is to do");
    const End end = isAttach ? attached(runner, program, name) : recorded(runner, program, name, mode);
    QCOMPARE(end.out, plain.out);
    QCOMPARE(end.err, plain.err);
    QCOMPARE(end.status, plain.status);
    const QJsonObject summary = runner.report(QStringLiteral("summary"));
    QCOMPARE(summary[QStringLiteral("state")].toString(), QStringLiteral("complete"));
    const QJsonValue losses = summary[QStringLiteral("losses")];
    QCOMPARE(losses[QStringLiteral("bad_records")].toInteger(-1), 0);
    const qint64 allocations = summary[QStringLiteral("heap")][QStringLiteral("allocations")].toInteger(-1);
    if (traced == '!')
        QCOMPARE(allocations, 0);
    else if (mode == QStringLiteral("full"))
        QVERIFY(allocations > 0);
    // One that steps down by itself may sample before the threads come, and without samples they need no rings.
    const bool mayBeWhole = mode.startsWith(QStringLiteral("auto"));
    if (traced == ' ')
        QCOMPARE(losses[QStringLiteral("events_dropped")].toInteger(-1), 0);
    else
        QVERIFY(mayBeWhole
            || losses[QStringLiteral("events_dropped")].toInteger()
                    + losses[QStringLiteral("heap_not_traced")].toInteger()
                > 0);
}

void HostileIntegrationTest::aStalledRecorderHoldsUpAsFarAsIsAllowed_data()
{
    QTest::addColumn<QString>("policy");
    QTest::newRow("wait") << QStringLiteral("wait");
    QTest::newRow("drop") << QStringLiteral("drop");
}

/// The recorder is stopped by a signal while the program makes more events than its ring holds. After three seconds without a heartbeat nobody
/// waits for it any more.
void HostileIntegrationTest::aStalledRecorderHoldsUpAsFarAsIsAllowed()
{
    QFETCH(QString, policy);
    const GenprofRunner runner;
    QProcess recorder;
    recorder.start(GenprofRunner::program(),
        words("record -q --cpu off --when-full")
            + QStringList{policy, QStringLiteral("-o"), runner.session(), QStringLiteral("--"),
                pathOf(QStringLiteral("threads")), QStringLiteral("--wait"), QStringLiteral("churns-alone")});
    QVERIFY(tests::readUntil(recorder, "ready").contains("ready"));
    const auto pid = static_cast<pid_t>(recorder.processId());
    QCOMPARE(::kill(pid, SIGSTOP), 0);
    QElapsedTimer timer;
    timer.start();
    recorder.write("\n");
    const QByteArray out = tests::readUntil(recorder, "bad");
    const qint64 elapsedMs = timer.elapsed();
    ::kill(pid, SIGCONT);
    QVERIFY2(out.contains("bad 0"), out.constData());
    const End end = endOf(recorder);
    QCOMPARE(end.status, 0);
    if (policy == QStringLiteral("drop"))
        QVERIFY2(elapsedMs < 2000, qPrintable(QString::number(elapsedMs)));
    else
        QVERIFY2(elapsedMs > 2500 && elapsedMs < 20'000, qPrintable(QString::number(elapsedMs)));
    const QJsonObject summary = runner.report(QStringLiteral("summary"));
    QVERIFY(summary[QStringLiteral("losses")][QStringLiteral("events_dropped")].toInteger() > 1000);
    QCOMPARE(summary[QStringLiteral("heap")][QStringLiteral("when_full")].toString(), policy);
    const QByteArray losses
        = runner
              .genprof({QStringLiteral("report"), runner.session(), QStringLiteral("--what"), QStringLiteral("losses")})
              .out;
    QVERIFY2(losses.simplified().contains("told to drop when rings are full") == (policy == QStringLiteral("drop")),
        losses.right(400).constData());
}

/// An end without its begin would be taken for damage by the program.
void HostileIntegrationTest::dropsInTheMiddleOfAReallocAreToldAsDrops()
{
    const GenprofRunner runner;
    const auto recorder = runner.startRecording(
        words("-q --cpu off --when-full drop"), {GenprofRunner::target(QStringLiteral("step_truth"))});
    QTest::qWait(2000); // 50 threads on as many processors as there are: the rings are full most of the time
    recorder->write("end\n");
    const End end = endOf(*recorder);
    QVERIFY2(end.status == 0 && end.out.contains("truth live 0 bytes 0"), end.err.constData());
    const QJsonObject losses = runner.report(QStringLiteral("summary"))[QStringLiteral("losses")].toObject();
    QVERIFY(losses[QStringLiteral("events_dropped")].toInteger() > 1000);
    QCOMPARE(losses[QStringLiteral("bad_records")].toInteger(), 0);
}

void HostileIntegrationTest::aSilentRecorderHoldsUpOnce_data()
{
    QTest::addColumn<int>("signal");
    QTest::newRow("stopped") << SIGSTOP;
    QTest::newRow("killed, and nobody has waited for it") << SIGKILL;
}

/// 300 threads want a ring that nobody makes: the first of them waits for three seconds, the others not at all.
void HostileIntegrationTest::aSilentRecorderHoldsUpOnce()
{
    QFETCH(int, signal);
    const GenprofRunner runner;
    const QList<QByteArray> command{GenprofRunner::program().toLocal8Bit(), "record", "-q", "--cpu", "off", "-o",
        runner.session().toLocal8Bit(), "--", pathOf(QStringLiteral("threads")).toLocal8Bit(), "--wait",
        "one-after-another"};
    std::vector<char *> arguments;
    for (const QByteArray &each : command)
        arguments.push_back(const_cast<char *>(each.constData()));
    arguments.push_back(nullptr);
    int in[2], out[2];
    QVERIFY(::pipe2(in, O_CLOEXEC) == 0 && ::pipe2(out, O_CLOEXEC) == 0);
    const pid_t recorder = ::fork(); // not by QProcess, which waits for what has ended at once
    if (recorder == 0) {
        ::dup2(in[0], STDIN_FILENO);
        ::dup2(out[1], STDOUT_FILENO);
        ::execv(arguments[0], arguments.data());
        ::_exit(127);
    }
    ::close(in[0]);
    ::close(out[1]);
    const auto readUntil = [&](const char *word) {
        QByteArray text;
        for (char byte = 0; !text.contains(word) && ::read(out[0], &byte, 1) == 1;)
            text += byte;
        return text;
    };
    QVERIFY(readUntil("ready").contains("ready"));
    QCOMPARE(::kill(recorder, signal), 0);
    QElapsedTimer timer;
    timer.start();
    QCOMPARE(::write(in[1], "\n", 1), 1);
    const QByteArray text = readUntil("bad 0");
    const qint64 elapsedMs = timer.elapsed();
    ::kill(recorder, SIGCONT);
    ::close(in[1]);
    ::close(out[0]);
    ::waitpid(recorder, nullptr, 0);
    QVERIFY2(text.contains("bad 0"), text.constData());
    QVERIFY2(elapsedMs < 10'000, qPrintable(QString::number(elapsedMs)));
}

QTEST_GUILESS_MAIN(HostileIntegrationTest)
#include "hostile_integration_test.moc"
