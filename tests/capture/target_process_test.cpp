// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/target/target_process.h"

#include <QFile>
#include <QTemporaryDir>
#include <QTest>

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <fstream>
#include <thread>

using capture::InheritedState;
using capture::LaunchRequest;
using capture::TargetChange;
using capture::TargetProcess;

namespace {

constexpr int kDeadlineMs = 10'000;

/// What a launched command wrote to `file`, and how it ended.
struct Outcome
{
    std::string failure;
    int failureStatus = 0;
    int waitStatus = -1;
};

bool waitForEnd(const TargetProcess &target)
{
    pollfd entry{target.endDescriptor(), POLLIN, 0};
    return ::poll(&entry, 1, kDeadlineMs) == 1;
}

Outcome runToEnd(const LaunchRequest &request)
{
    auto target = TargetProcess::launch(request, InheritedState::capture());
    if (!target)
        return {target.error().text(), 125, -1};
    if (const auto failure = target->release())
        return {failure->error.text(), failure->exitStatus, -1};
    if (!waitForEnd(*target) || target->look() != TargetChange::Ended)
        return {"did not end in time", 0, -1};
    const auto end = target->reap();
    return end ? Outcome{"", 0, end->waitStatus} : Outcome{"not reaped", 0, -1};
}

std::string textOf(const QString &path)
{
    QFile file(path);
    return file.open(QIODevice::ReadOnly) ? file.readAll().toStdString() : "unreadable";
}

void writeFile(const QString &path, const char *text, mode_t mode)
{
    std::ofstream(path.toStdString()) << text;
    QCOMPARE(::chmod(path.toStdString().c_str(), mode), 0);
}

/// Looks until `wanted` shows up; false after the deadline.
bool sees(TargetProcess &target, TargetChange wanted)
{
    for (int waited = 0; waited < kDeadlineMs; ++waited) {
        if (target.look() == wanted)
            return true;
        pollfd entry{target.endDescriptor(), POLLIN, 0};
        ::poll(&entry, 1, 1);
    }
    return false;
}

} // namespace

class TargetProcessTest : public QObject
{
    Q_OBJECT

private:
    QTemporaryDir m_directory;
    std::string path(const char *name) const { return m_directory.filePath(QString::fromLatin1(name)).toStdString(); }

private Q_SLOTS:
    void cleanup()
    {
        while (::waitpid(-1, nullptr, 0) > 0) { }
    }

    void childWaitsUntilItIsReleased()
    {
        const std::string file = path("waits");
        auto target = TargetProcess::launch({{"sh", "-c", "echo ran > " + file}, "", {}}, InheritedState::capture());
        QVERIFY(bool(target));
        QVERIFY(::kill(target->pid(), 0) == 0);
        QCOMPARE(target->look(), TargetChange::None);
        QVERIFY(!QFile::exists(QString::fromStdString(file)));
        QVERIFY(!target->release());
        QVERIFY(waitForEnd(*target));
        QCOMPARE(textOf(QString::fromStdString(file)), std::string("ran\n"));
    }

    void childThatIsNeverReleasedEndsWithItsOwner()
    {
        pid_t pid = 0;
        {
            auto target = TargetProcess::launch({{"true"}, "", {}}, InheritedState::capture());
            QVERIFY(bool(target));
            pid = target->pid();
        }
        QCOMPARE(::kill(pid, 0), -1);
        QCOMPARE(errno, ESRCH);
    }

    void exitStatusAndUsageAreCollected()
    {
        auto target = TargetProcess::launch({{"sh", "-c", "exit 42"}, "", {}}, InheritedState::capture());
        QVERIFY(bool(target));
        QVERIFY(!target->reap());
        QVERIFY(!target->release());
        QVERIFY(waitForEnd(*target));
        QCOMPARE(target->look(), TargetChange::Ended);
        QCOMPARE(target->look(), TargetChange::Ended);
        const auto end = target->reap();
        QVERIFY(end.has_value());
        QVERIFY(WIFEXITED(end->waitStatus));
        QCOMPARE(WEXITSTATUS(end->waitStatus), 42);
        QVERIFY(end->maxRssBytes > 100'000);
        QVERIFY(!end->isMaxOfProgram); // this test had more when it was copied
        QVERIFY(!target->reap());
    }

    void whatAProgramHadAtMostIsToldFromTheCopyBeforeItsExec()
    {
        auto target = TargetProcess::launch(
            {{"dd", "if=/dev/zero", "of=/dev/null", "bs=300M", "count=1", "status=none"}, "", {}},
            InheritedState::capture());
        QVERIFY(bool(target));
        QVERIFY(!target->release());
        QVERIFY(waitForEnd(*target));
        QCOMPARE(target->look(), TargetChange::Ended);
        const auto end = target->reap();
        QVERIFY(end.has_value());
        QVERIFY(end->isMaxOfProgram);
        QVERIFY(end->maxRssBytes > 300 * 1024 * 1024);
    }

    void failuresExitAsShellsDo_data()
    {
        QTest::addColumn<QString>("program");
        QTest::addColumn<int>("status");
        QTest::addColumn<QString>("says");
        writeFile(m_directory.filePath(QStringLiteral("plain")), "data", 0644);
        writeFile(m_directory.filePath(QStringLiteral("orphan")), "#!/no/such/interpreter\n", 0755);
        QTest::newRow("not in PATH") << "no-such-program-anywhere" << 127 << "all directories of PATH";
        QTest::newRow("no such file") << "/no/such/file" << 127 << "No such file or directory";
        QTest::newRow("not executable") << m_directory.filePath(QStringLiteral("plain")) << 126 << "Permission denied";
        QTest::newRow("a directory") << m_directory.path() << 126 << "Permission denied";
        QTest::newRow("below a file") << m_directory.filePath(QStringLiteral("plain/x")) << 126 << "Not a directory";
        QTest::newRow("interpreter missing") << m_directory.filePath(QStringLiteral("orphan")) << 127 << "interpreter";
        QTest::newRow("empty name") << "" << 127 << "Cannot run ''";
    }
    void failuresExitAsShellsDo()
    {
        QFETCH(QString, program);
        QFETCH(int, status);
        QFETCH(QString, says);
        const Outcome outcome = runToEnd({{program.toStdString()}, "", {}});
        QCOMPARE(outcome.failureStatus, status);
        QVERIFY2(outcome.failure.find(says.toStdString()) != std::string::npos, outcome.failure.c_str());
        QVERIFY2(outcome.failure.find(program.toStdString()) != std::string::npos, outcome.failure.c_str());
        QCOMPARE(::waitpid(-1, nullptr, WNOHANG), -1); // nothing is left behind
        QCOMPARE(errno, ECHILD);
    }

    void missingWorkingDirectoryIsAFailureOfOurs()
    {
        const Outcome outcome = runToEnd({{"true"}, "/no/such/directory", {}});
        QCOMPARE(outcome.failureStatus, 125);
        QVERIFY(outcome.failure.find("/no/such/directory") != std::string::npos);
    }

    void fileThatIsNotExecutableIsPassedOverInPath()
    {
        QVERIFY(QDir(m_directory.path()).mkpath(QStringLiteral("a")));
        QVERIFY(QDir(m_directory.path()).mkpath(QStringLiteral("b")));
        writeFile(m_directory.filePath(QStringLiteral("a/tool")), "#!/bin/sh\nexit 1\n", 0644);
        writeFile(m_directory.filePath(QStringLiteral("b/tool")), "#!/bin/sh\nexit 7\n", 0755);
        const Outcome found = runToEnd({{"tool"}, "", {{"PATH", path("a") + ':' + path("b")}}});
        QCOMPARE(found.failure, std::string());
        QCOMPARE(WEXITSTATUS(found.waitStatus), 7);
        QCOMPARE(runToEnd({{"tool"}, "", {{"PATH", path("a") + ":/no/such"}}}).failureStatus, 126);
    }

    void scriptWithoutInterpreterLineIsRunByTheShell()
    {
        writeFile(m_directory.filePath(QStringLiteral("script")), "exit $1\n", 0755);
        QCOMPARE(WEXITSTATUS(runToEnd({{path("script"), "9"}, "", {}}).waitStatus), 9);
    }

    void environmentAndDirectoryReachTheProgram()
    {
        ::setenv("GENESIS_TEST_KEPT", "kept", 1);
        ::setenv("GENESIS_TEST_CHANGED", "old", 1);
        const std::string file = path("environment");
        runToEnd({{"sh", "-c", "echo $GENESIS_TEST_KEPT $GENESIS_TEST_CHANGED $PWD > " + file}, "/usr",
            {{"GENESIS_TEST_CHANGED", "new"}}});
        QCOMPARE(textOf(QString::fromStdString(file)), std::string("kept new /usr\n"));
    }

    void signalsAreAsTheRecorderInheritedThem()
    {
        ::signal(SIGUSR2, SIG_IGN);
        const InheritedState inherited = InheritedState::capture();
        // What a recorder does to itself afterwards:
        ::signal(SIGPIPE, SIG_IGN);
        ::signal(SIGUSR2, SIG_DFL);
        sigset_t blocked;
        sigemptyset(&blocked);
        sigaddset(&blocked, SIGINT);
        sigaddset(&blocked, SIGTERM);
        sigset_t before;
        pthread_sigmask(SIG_BLOCK, &blocked, &before);
        const std::string file = path("signals");
        auto target = TargetProcess::launch(
            {{"sh", "-c", "grep -E 'SigBlk|SigIgn' /proc/self/status > " + file}, "", {}}, inherited);
        const auto failure = target ? target->release() : std::nullopt;
        pthread_sigmask(SIG_SETMASK, &before, nullptr);
        ::signal(SIGPIPE, SIG_DFL);
        QVERIFY(bool(target));
        QVERIFY(!failure);
        QVERIFY(waitForEnd(*target));
        QCOMPARE(textOf(QString::fromStdString(file)),
            std::string("SigBlk:\t0000000000000000\nSigIgn:\t0000000000000800\n"));
    }

    void targetStaysInTheProcessGroup()
    {
        auto target = TargetProcess::launch({{"true"}, "", {}}, InheritedState::capture());
        QVERIFY(bool(target));
        QCOMPARE(::getpgid(target->pid()), ::getpgrp());
        QCOMPARE(::getsid(target->pid()), ::getsid(0));
    }

    void stopAndContinueOfALaunchedTargetAreSeen()
    {
        auto target = TargetProcess::launch({{"cat", "/dev/zero"}, "", {}}, InheritedState::capture());
        QVERIFY(bool(target));
        // Still before the barrier: a stop is a stop, whatever runs in it.
        QVERIFY(bool(target->sendSignal(SIGSTOP)));
        QVERIFY(sees(*target, TargetChange::Stopped));
        QCOMPARE(target->look(), TargetChange::None);
        QVERIFY(bool(target->sendSignal(SIGCONT)));
        QVERIFY(sees(*target, TargetChange::Continued));
        QVERIFY(bool(target->sendSignal(SIGKILL)));
        QVERIFY(sees(*target, TargetChange::Ended));
        QCOMPARE(WTERMSIG(target->reap()->waitStatus), SIGKILL);
    }

    void stopContinueAndEndOfAnAttachedTargetAreSeen()
    {
        const pid_t child = ::fork();
        if (child == 0) {
            for (;;)
                ::pause();
        }
        auto target = TargetProcess::attach(child);
        QVERIFY(bool(target));
        QVERIFY(!target->isLaunched());
        ::kill(child, SIGSTOP);
        QVERIFY(sees(*target, TargetChange::Stopped));
        ::kill(child, SIGCONT);
        QVERIFY(sees(*target, TargetChange::Continued));
        ::kill(child, SIGKILL);
        QVERIFY(sees(*target, TargetChange::Ended));
        QVERIFY(!target->reap());
        ::waitpid(child, nullptr, 0);
        QVERIFY(!target->sendSignal(SIGTERM));
    }

    void attachingToNobodySaysSo()
    {
        const auto target = TargetProcess::attach(0x3ffffffe);
        QVERIFY(!target);
        QVERIFY(target.error().text().find("There is no process 1073741822; ") == 0);
    }

    void attachingToAThreadNamesItsProcess()
    {
        std::atomic<pid_t> id = 0;
        std::jthread thread([&id](std::stop_token stop) {
            id = ::gettid();
            id.notify_one();
            while (!stop.stop_requested())
                std::this_thread::sleep_for(std::chrono::milliseconds(1));
        });
        id.wait(0);
        const auto target = TargetProcess::attach(id);
        QVERIFY(!target);
        QCOMPARE(target.error().text(),
            std::to_string(id.load()) + " is a thread of process " + std::to_string(::getpid()) + "; attach to that");
    }

    void attachingToWhatHasEndedSaysSo()
    {
        const pid_t child = ::fork();
        if (child == 0)
            ::_exit(0);
        siginfo_t end{};
        QCOMPARE(::waitid(P_PID, static_cast<id_t>(child), &end, WEXITED | WNOWAIT), 0);
        const auto target = TargetProcess::attach(child);
        ::waitpid(child, nullptr, 0);
        QVERIFY(!target);
        QVERIFY2(target.error().text().find("has ended") != std::string::npos, target.error().text().c_str());
    }
};

QTEST_GUILESS_MAIN(TargetProcessTest)
#include "target_process_test.moc"
