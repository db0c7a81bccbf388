// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/heap/live_threads.h"

#include <QTest>

#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>
#include <vector>

using capture::LiveThreads;

class LiveThreadsTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void knowsThreadsOfTheProcess();
    void knowsChildrenThatShareItsMemory();
    void doesNotTakeForkedChildrenForThreads();
};

void LiveThreadsTest::knowsThreadsOfTheProcess()
{
    const LiveThreads alive(::getpid(), true);
    QVERIFY(alive.isKnown());
    QVERIFY(alive.contains(::gettid()));
    pid_t other = 0;
    std::thread([&] { other = ::gettid(); }).join();
    QTRY_VERIFY(!alive.contains(other)); // joined a moment before the kernel takes it off the list
}

void LiveThreadsTest::knowsChildrenThatShareItsMemory()
{
#ifdef __SANITIZE_THREAD__
    QSKIP("a child that shares the memory ends in the thread sanitizer's own hooks");
#endif
    std::vector<char> stack(64 * 1024);
    int ends[2];
    QCOMPARE(::pipe(ends), 0);
    const pid_t child = ::clone(
        [](void *argument) {
            char byte;
            return ::read(*static_cast<int *>(argument), &byte, 1) == 1 ? 0 : 1;
        },
        stack.data() + stack.size(), CLONE_VM | CLONE_FILES | SIGCHLD, &ends[0]);
    QVERIFY(child > 0);
    const LiveThreads alive(::getpid(), true);
    QVERIFY(alive.contains(child));
    QCOMPARE(::write(ends[1], "x", 1), 1);
    int status = 1;
    QCOMPARE(::waitpid(child, &status, 0), child);
    QCOMPARE(status, 0);
    QVERIFY(!alive.contains(child));
    ::close(ends[0]);
    ::close(ends[1]);
}

void LiveThreadsTest::doesNotTakeForkedChildrenForThreads()
{
    const pid_t child = ::fork();
    if (child == 0) {
        ::pause();
        ::_exit(0);
    }
    QVERIFY(!LiveThreads(::getpid(), true).contains(child));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
}

QTEST_GUILESS_MAIN(LiveThreadsTest)
#include "live_threads_test.moc"
