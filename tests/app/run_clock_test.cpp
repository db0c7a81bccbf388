// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/gate/run_clock.h"

#include <QTest>

#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ctime>

using app::RunTimes;
using app::runTimes;
using capture::SchedulerTimes;

class RunClockTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void whatWasWaitedForIsTakenOff()
    {
        const RunTimes times = runTimes(1000, 30, 400, SchedulerTimes{50, 7}, SchedulerTimes{450, 307});
        QCOMPARE(times.wallNs, std::int64_t{1000});
        QCOMPARE(times.ownNs.value(), std::int64_t{1000 - 300 - 30});
    }

    void itIsAtLeastTheTimeOnAProcessor()
    {
        // Ours went by while the program ran.
        QCOMPARE(
            runTimes(1000, 200, 400, SchedulerTimes{0, 0}, SchedulerTimes{400, 500}).ownNs.value(), std::int64_t{400});
    }

    void othersThatWorkedMakeItUnknown()
    {
        const RunTimes times = runTimes(1000, 0, 1600, SchedulerTimes{0, 0}, SchedulerTimes{400, 100});
        QVERIFY(!times.ownNs);
        QVERIFY2(times.absent.starts_with("Its first thread did 25 % of the work"), times.absent.c_str());
        QVERIFY(runTimes(1000, 0, 1000, SchedulerTimes{0, 0}, SchedulerTimes{991, 0}).ownNs);
        QVERIFY(!runTimes(1000, 0, 1000, SchedulerTimes{0, 0}, SchedulerTimes{989, 0}).ownNs);
    }

    void kernelsThatDoNotCountAreNamed()
    {
        const RunTimes times = runTimes(1000, 0, 400, SchedulerTimes{0, 0}, std::nullopt);
        QVERIFY(!times.ownNs && times.absent.find("schedstat") != std::string::npos);
    }

    void aRunOfOursIsMeasured()
    {
        int barrier[2] = {-1, -1};
        QCOMPARE(::pipe(barrier), 0);
        const pid_t child = ::fork();
        if (child == 0) {
            char go = 0;
            if (::read(barrier[0], &go, 1) == 1)
                ::usleep(20'000);
            ::_exit(0);
        }
        app::RunClock clock(child);
        QCOMPARE(::write(barrier[1], "x", 1), ssize_t{1});
        clock.aboutToWait();
        siginfo_t info{};
        ::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT);
        clock.ended();
        const auto counted = capture::schedulerTimesOf(child);
        ::waitpid(child, nullptr, 0);
        ::close(barrier[0]);
        ::close(barrier[1]);
        if (!counted)
            QSKIP("this kernel does not count how long threads wait for a processor");
        const RunTimes times = clock.times(counted->onProcessorNs);
        QVERIFY(times.wallNs >= 20'000'000);
        QVERIFY(times.ownNs.value() <= times.wallNs);
        QVERIFY(times.ownNs.value() >= 15'000'000); // asleep it waits for nobody's processor
    }

    /// Of a short program the recorder sees the end late where others had its processor meanwhile.
    void whatWeWaitedForBeforeWeLookedIsTakenOff()
    {
        int barrier[2] = {-1, -1};
        QCOMPARE(::pipe(barrier), 0);
        const pid_t child = ::fork();
        if (child == 0) {
            char go = 0;
            ::_exit(::read(barrier[0], &go, 1) == 1 ? 0 : 1);
        }
        app::RunClock clock(child);
        const auto before = capture::ownSchedulerTimes();
        QCOMPARE(::write(barrier[1], "x", 1), ssize_t{1});
        siginfo_t info{};
        ::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT);
        shareProcessor();
        const auto after = capture::ownSchedulerTimes();
        clock.aboutToWait();
        clock.ended();
        const auto counted = capture::schedulerTimesOf(child);
        ::waitpid(child, nullptr, 0);
        ::close(barrier[0]);
        ::close(barrier[1]);
        if (!counted || !before || !after)
            QSKIP("this kernel does not count how long threads wait for a processor");
        QVERIFY(after->waitedNs - before->waitedNs >= 1'000'000);
        const RunTimes times = clock.times(counted->onProcessorNs);
        QVERIFY(times.ownNs.value() <= times.wallNs - (after->waitedNs - before->waitedNs));
    }

private:
    /// Runs on one processor with another process until that has done its work.
    static void shareProcessor()
    {
        cpu_set_t usual, one;
        ::sched_getaffinity(0, sizeof usual, &usual);
        CPU_ZERO(&one);
        CPU_SET(static_cast<std::size_t>(::sched_getcpu()), &one);
        ::sched_setaffinity(0, sizeof one, &one);
        const pid_t other = ::fork();
        if (other == 0) {
            const std::clock_t end = std::clock() + CLOCKS_PER_SEC / 50;
            while (std::clock() < end) { }
            ::_exit(0);
        }
        while (::waitpid(other, nullptr, WNOHANG) == 0) { }
        ::sched_setaffinity(0, sizeof usual, &usual);
    }
};

QTEST_GUILESS_MAIN(RunClockTest)
#include "run_clock_test.moc"
