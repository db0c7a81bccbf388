// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/perf/thread_openings.h"
#include "capture/proc/process_list.h"
#include "capture/proc/process_tree.h"
#include "tests/capture/fake_proc.h"

#include <QDateTime>
#include <QTest>

#include <signal.h>
#include <sys/wait.h>

#include <algorithm>

using capture::ProcClock;
using capture::ProcessList;

namespace {

constexpr std::int64_t kSecond = 1'000'000'000;

} // namespace

class RunningProcessesTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void processesAreListedAscendingByPid()
    {
        tests::FakeProc proc;
        proc.set({.pid = 200, .parentPid = 100, .name = "a (b) c", .threads = {201, 202}});
        proc.set({.pid = 100, .rssKb = 512});
        ProcessList list(proc.root());
        const auto processes = list.refresh();
        QCOMPARE(processes.size(), std::size_t{2});
        QCOMPARE(processes[0].pid, 100);
        QCOMPARE(processes[0].rssBytes, std::int64_t{512 * 1024});
        QCOMPARE(processes[0].executable, std::string("/usr/bin/worker"));
        QCOMPARE(processes[0].commandLine, std::string("worker --fast"));
        QCOMPARE(processes[1].name, std::string("a (b) c"));
        QCOMPARE(processes[1].parentPid, 100);
        QCOMPARE(processes[1].threads, std::int64_t{3});
    }

    void aTreeIsListedFromItsRootDown()
    {
        tests::FakeProc proc;
        proc.set({.pid = 100, .parentPid = 1});
        proc.set({.pid = 300, .parentPid = 100});
        proc.set({.pid = 200, .parentPid = 300}); // numbers may have begun anew
        proc.set({.pid = 400, .parentPid = 100, .state = 'Z'});
        proc.set({.pid = 500, .parentPid = 1});
        std::string found;
        for (const capture::TreeProcess &process : capture::processTree(100, proc.root()))
            found += std::to_string(process.pid) + " of " + std::to_string(process.parentPid) + "; ";
        QCOMPARE(found, std::string("100 of 0; 300 of 100; 200 of 300; "));
        QVERIFY(capture::processTree(600, proc.root()).empty());
    }

    void whoeverIsLeftOutIsNamed()
    {
        using capture::sentenceOf;
        QCOMPARE(sentenceOf({}, "Not sampled:"), std::string());
        const capture::LeftOutProcess one{7, "nginx (7)", "it is static"};
        QCOMPARE(sentenceOf({one}, "Not sampled:"), std::string("Not sampled: nginx (7): it is static"));
        QCOMPARE(sentenceOf({one, one, one, one, one}, "Not sampled:"),
            std::string("Not sampled: nginx (7), nginx (7), nginx (7) and 2 more: it is static"));
    }

    void aThreadHasInheritedWhatItsParentHadThen()
    {
        capture::ThreadOpenings openings(3);
        openings.add(10);
        openings.opened(10, 0, 100);
        openings.opened(10, 1, 200);
        openings.opened(10, 2, 300);
        const capture::ThreadForks forks{{11, {10, 250}}, {12, {11, 260}}};
        QVERIFY(openings.missing(11, forks) == std::vector<bool>({false, false, true}));
        QVERIFY(openings.missing(12, forks) == std::vector<bool>(3, false)); // of one that inherited all
        QVERIFY(openings.missing(13, forks) == std::vector<bool>(3, true));  // it ran before
    }

    void whatIsOnItsWayOutIsKnown()
    {
        const auto isEnding = [](const std::string &state, int flags, const std::string &pending) {
            tests::FakeProc proc;
            proc.write("7/stat",
                "7 (a) " + state + " 1 7 7 0 -1 " + std::to_string(flags)
                    + " 0 0 0 0 0 0 0 0 20 0 1 0 0 0 0 0 1 1 0 0 0\n");
            proc.write("7/status", "Name:\ta\n" + pending);
            return capture::isEnding(7, proc.root());
        };
        const std::string none = "SigPnd:\t0000000000000000\nShdPnd:\t0000000000000000\n";
        const std::string killed = "SigPnd:\t0000000000000100\nShdPnd:\t0000000000000000\n";
        const std::string killedAsAWhole = "SigPnd:\t0000000000000000\nShdPnd:\t0000000000000100\n";
        const std::string asked = "SigPnd:\t0000000000000000\nShdPnd:\t0000000000004000\n"; // it may never do so
        constexpr int kUsual = 0x400000, kExiting = 0x400004;
        QVERIFY(isEnding("R", kExiting, none));
        QVERIFY(isEnding("D", kUsual, killed));
        QVERIFY(isEnding("D", kUsual, killedAsAWhole));
        QVERIFY(!isEnding("S", kUsual, asked));
        QVERIFY(!isEnding("S", kUsual, {}));
        QVERIFY(!isEnding("Z", kExiting, killed)); // it has ended
        QVERIFY(!capture::isEnding(8, tests::FakeProc().root()));
    }

    void kernelThreadsAndZombiesAreLeftOut()
    {
        tests::FakeProc proc;
        proc.write("2/stat", "2 (kthreadd) S 0 0 0 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 0 0 0 0 0 0 0 0 0 0\n");
        proc.write("2/status", "Name:\tkthreadd\n");
        proc.set({.pid = 50, .state = 'Z'});
        QVERIFY(ProcessList(proc.root()).refresh().empty());
    }

    void cpuIsMeasuredFromOneRefreshToTheNext()
    {
        tests::FakeProc proc;
        std::int64_t nowNs = 100 * kSecond;
        ProcessList list(proc.root(), {[&] { return nowNs; }, [&] { return nowNs; }, 100});
        proc.set({.pid = 10, .userTicks = 1000, .startTicks = 5000}); // 10 s of CPU in 50 s of life
        QCOMPARE(list.refresh().front().cpuMilliPercent, std::int64_t{20'000});
        nowNs += 2 * kSecond;
        proc.set({.pid = 10, .userTicks = 1050, .systemTicks = 50, .startTicks = 5000});
        QCOMPARE(list.refresh().front().cpuMilliPercent, std::int64_t{50'000});
        nowNs += 2 * kSecond;
        proc.set({.pid = 10, .userTicks = 100, .startTicks = 10'300}); // another process with this pid
        QCOMPARE(list.refresh().front().cpuMilliPercent, std::int64_t{100'000});
    }

    void aChildOfOursIsListedAsOurs()
    {
        const pid_t child = ::fork();
        if (child == 0) {
            for (;;)
                ::pause();
        }
        ProcessList list;
        const auto processes = list.refresh();
        ::kill(child, SIGKILL);
        ::waitpid(child, nullptr, 0);
        const auto found = std::find_if(
            processes.begin(), processes.end(), [&](const auto &process) { return process.pid == child; });
        QVERIFY(found != processes.end());
        QVERIFY(found->isOurs);
        QVERIFY(found->executable.ends_with("running_processes_test"));
        QVERIFY(!found->user.empty());
        const std::int64_t ageNs = QDateTime::currentMSecsSinceEpoch() * 1'000'000 - found->startWallNs;
        QVERIFY2(ageNs > -kSecond && ageNs < 60 * kSecond, qPrintable(QString::number(ageNs)));
        QVERIFY(std::none_of(
            processes.begin(), processes.end(), [](const auto &process) { return process.pid == ::getpid(); }));
    }
};

QTEST_GUILESS_MAIN(RunningProcessesTest)
#include "running_processes_test.moc"
