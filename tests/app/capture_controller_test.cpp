// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/capture_controller.h"

#include <QFile>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>

using namespace Qt::StringLiterals;

namespace {
constexpr int kPatienceMs = 20000;
}

/// The window starts a recorder as a program of its own. Shell scripts stand in for it.
class CaptureControllerTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void saysWhereTheSessionIs();
    void saysWhatTheRecorderSaid();
    void tellsOfACommandThatCouldNotRun();
    void saysThatTheRecorderIsMissing();
    void doesNotOverwriteASession();
    void handsOverArgumentsFolderAndVariables();

private:
    QString newRecorder(const QString &name, const QByteArray &script);
    QTemporaryDir m_folder;
};

QString CaptureControllerTest::newRecorder(const QString &name, const QByteArray &script)
{
    QFile file(m_folder.filePath(name));
    if (!file.open(QIODevice::WriteOnly))
        return {};
    file.write("#!/bin/sh\n" + script);
    file.setPermissions(QFile::ReadOwner | QFile::WriteOwner | QFile::ExeOwner);
    return file.fileName();
}

void CaptureControllerTest::saysWhereTheSessionIs()
{
    app::CaptureController controller(newRecorder(u"works"_s, "echo session > \"$3\"\n"));
    QSignalSpy started(&controller, &app::CaptureController::sessionStarted);
    QSignalSpy ended(&controller, &app::CaptureController::ended);
    ui::LaunchRequest request;
    request.program = u"true"_s;
    const QString output = m_folder.filePath(u"new/folder/a b.gprof-session"_s);
    controller.start(request, output);
    QVERIFY(QTest::qWaitFor([&] { return !started.isEmpty() && !ended.isEmpty(); }, kPatienceMs));
    QCOMPARE(started.front().front().toString(), output);
    QVERIFY(!controller.isRecording());
}

void CaptureControllerTest::saysWhatTheRecorderSaid()
{
    app::CaptureController controller(
        newRecorder(u"fails"_s, "echo 'cannot run nothing: no such file' >&2; exit 127\n"));
    QSignalSpy failed(&controller, &app::CaptureController::failed);
    ui::LaunchRequest request;
    request.program = u"nothing"_s;
    controller.start(request, m_folder.filePath(u"never"_s));
    QVERIFY(failed.wait(kPatienceMs));
    QCOMPARE(failed.front().front().toString(), u"cannot run nothing: no such file"_s);
    QVERIFY(!controller.isRecording());
}

void CaptureControllerTest::tellsOfACommandThatCouldNotRun()
{
    // The recorder has made its session before it finds that the command does not run, and takes it away again.
    app::CaptureController controller(newRecorder(u"undoes"_s,
        "echo session > \"$3\"; sleep 0.3; rm \"$3\"; echo 'genprof: Cannot run it: no such file' >&2; exit 127\n"));
    QSignalSpy failed(&controller, &app::CaptureController::failed);
    QSignalSpy ended(&controller, &app::CaptureController::ended);
    ui::LaunchRequest request;
    request.program = u"nothing"_s;
    controller.start(request, m_folder.filePath(u"undone"_s));
    QVERIFY(failed.wait(kPatienceMs));
    QCOMPARE(failed.front().front().toString(), u"Cannot run it: no such file"_s);
    QCOMPARE(ended.count(), 0);
}

void CaptureControllerTest::saysThatTheRecorderIsMissing()
{
    app::CaptureController controller(m_folder.filePath(u"absent"_s));
    QSignalSpy failed(&controller, &app::CaptureController::failed);
    controller.start({}, m_folder.filePath(u"never"_s));
    QCOMPARE(failed.count(), 1);
    QVERIFY(failed.front().front().toString().contains(u"absent"_s));
}

void CaptureControllerTest::doesNotOverwriteASession()
{
    app::CaptureController controller(newRecorder(u"unused"_s, "exit 0\n"));
    QSignalSpy failed(&controller, &app::CaptureController::failed);
    controller.start({}, m_folder.filePath(u"unused"_s));
    QCOMPARE(failed.count(), 1);
    QVERIFY(failed.front().front().toString().contains(u"exists"_s));
}

void CaptureControllerTest::handsOverArgumentsFolderAndVariables()
{
    app::CaptureController controller(newRecorder(u"tells"_s,
        "out=\"$3\"; { pwd; echo \"$GENESIS_WORD\"; for a; do echo \"$a\"; done; } > \"$out.part\"; mv \"$out.part\" "
        "\"$out\"\n"));
    QSignalSpy ended(&controller, &app::CaptureController::ended);
    ui::LaunchRequest request;
    request.program = u"/bin/echo"_s;
    request.arguments = u"\"two words\""_s;
    request.directory = QFileInfo(m_folder.path()).canonicalFilePath();
    request.environment = u"GENESIS_WORD=\"x y\""_s;
    const QString output = m_folder.filePath(u"told"_s);
    controller.start(request, output);
    QVERIFY(ended.wait(kPatienceMs));
    QFile told(output);
    QVERIFY(told.open(QIODevice::ReadOnly));
    const QStringList lines = QString::fromUtf8(told.readAll()).split(u'\n');
    QCOMPARE(lines.at(0), request.directory);
    QCOMPARE(lines.at(1), u"x y"_s);
    QVERIFY(lines.contains(u"two words"_s));
}

QTEST_GUILESS_MAIN(CaptureControllerTest)
#include "capture_controller_test.moc"
