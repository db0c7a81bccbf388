// SPDX-License-Identifier: GPL-3.0-or-later
// What goes on in a program while one of its threads is borrowed for a call that takes long: a recorder does not answer it.
#include "capture/target/tracer_injector.h"
#include "tests/capture/attached_program.h"
#include "tests/capture/fifo.h"
#include "tests/capture/silent_recorder.h"

#include <QtTest>

#include <atomic>
#include <cstdlib>
#include <thread>

namespace {

using capture::TracerInjector;

std::string tracerPath() { return std::string(std::getenv("GENESIS_BUILD_DIR")) + "/" + GENESIS_TRACER_PATH; }

TracerInjector injector(qint32 pid) { return TracerInjector(pid, {tracerPath(), {}}); }

/// How many threads the kernel lets nobody interrupt now.
qsizetype unstoppableThreads(qint32 pid)
{
    qsizetype count = 0;
    const QString tasks = QStringLiteral("/proc/%1/task").arg(pid);
    for (const QString &tid : QDir(tasks).entryList(QDir::Dirs | QDir::NoDotAndDotDot)) {
        QFile status(QStringLiteral("%1/%2/status").arg(tasks, tid));
        count += status.open(QIODevice::ReadOnly) && status.readAll().contains("State:\tD") ? 1 : 0;
    }
    return count;
}

} // namespace

class AttachMeetingTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void aChildForkedDuringTheMeetingIsRecordedToo()
    {
        // Its calls lead to the tracer from the beginning, where no recorder is found. Then comes one that does not answer.
        AttachedProgram target(AttachedProgram::target("attach_busy_now"), {QStringLiteral("1")},
            {QStringLiteral("LD_PRELOAD=") + QString::fromStdString(tracerPath())});
        const tests::SilentRecorder recorder;
        const tests::Fifo word;
        QCOMPARE(target.ask("word " + word.path()), QByteArray("waiting"));
        bool isRefused = false;
        {
            const std::jthread attach(
                [&] { isRefused = !injector(target.pid()).start(recorder.address()).has_value(); });
            QVERIFY(recorder.waitForGuest()); // it meets, and gets no answer for two seconds
            QVERIFY(word.write());
        }
        QVERIFY(isRefused);
        QCOMPARE(target.readLine(), QByteArray("forked 0"));
        const auto first = recorder.nextHello();
        const auto second = recorder.nextHello();
        QCOMPARE(first.origin, capture::wire::Origin::Attach);
        QCOMPARE(first.pid, target.pid());
        QCOMPARE(second.origin, capture::wire::Origin::Fork);
        QCOMPARE(second.parentPid, target.pid());
        QCOMPARE(second.copiedImage, std::uint64_t{0}); // there is none yet
        QCOMPARE(target.ask("quit"), QByteArray("bye 0"));
    }

    void aThreadThatCouldNotBeStoppedIsNotHeldDuringTheCall()
    {
        // It might hold what the call waits for. It is asked first, as epoll_wait is what a stop is seen in.
        const tests::SilentRecorder recorder;
        const tests::Fifo word;
        AttachedProgram target(
            AttachedProgram::target("attach_waits"), {QStringLiteral("epoll"), QString::fromUtf8(word.path())});
        QTRY_COMPARE(unstoppableThreads(target.pid()), 1);
        std::atomic<bool> isOver = false;
        const std::jthread attach([&] {
            (void)injector(target.pid()).start(recorder.address());
            isOver = true;
        });
        QVERIFY(recorder.waitForGuest()); // gets no answer for two seconds
        QVERIFY(word.write());
        QCOMPARE(target.readLine(), QByteArray("went on"));
        QVERIFY(!isOver);
    }
};

QTEST_GUILESS_MAIN(AttachMeetingTest)
#include "attach_meeting_integration_test.moc"
