// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/tables/process_table.h"

#include <QTest>

using namespace model;

namespace {

struct Fixture
{
    TableBuilder tables;
    ProcessTable processes{tables};

    const Image &image(ImageId id) const { return tables.tables().images.at(id.index()); }
    std::string executable(ImageId id) const { return tables.tables().text(image(id).executable); }
};

constexpr Timestamp at(std::int64_t ns) { return {ns}; }

} // namespace

class ProcessTableTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void oneExecSeenByThreeSourcesIsOneImage()
    {
        Fixture f;
        f.processes.processSeen(10, 0, at(0));
        const ImageId launched = f.processes.execSeen(10, at(100), ProcessSource::Launcher, "python3", "python3 -c x");
        const ImageId traced
            = f.processes.execSeen(10, at(130), ProcessSource::Tracer, "/usr/bin/python3.11", "python3 -c x");
        const ImageId sampled = f.processes.execSeen(10, at(110), ProcessSource::Perf, "/usr/bin/python3.11", "");
        QCOMPARE(traced.value, launched.value);
        QCOMPARE(sampled.value, launched.value);
        QCOMPARE(f.image(launched).epoch, 0U);
        QCOMPARE(f.executable(launched), std::string("/usr/bin/python3.11"));
    }

    void aForkRunsWhatItWasSeenToRun()
    {
        Fixture f;
        f.processes.execSeen(10, at(0), ProcessSource::Tracer, "/bin/sh", "sh");
        f.processes.processSeen(11, 10, at(40));
        f.processes.forkSeen(11, "/bin/x", "x 1");
        const ImageId exec = f.processes.execSeen(10, at(50), ProcessSource::Proc, "/bin/x", "x 1"); // seen late
        const ImageId forked = f.processes.currentImage(11);
        QCOMPARE(f.executable(forked), std::string("/bin/x"));
        f.processes.processSeen(11, 10, at(30)); // exactly; it is no other image for that
        QCOMPARE(f.processes.currentImage(11), forked);
        QCOMPARE(f.image(forked).epoch, 0U);
        QCOMPARE(f.executable(forked), std::string("/bin/x"));
        f.processes.forkSeen(10, "/bin/y", "y"); // whose exec was told
        QCOMPARE(f.executable(exec), std::string("/bin/x"));
        f.processes.forkSeen(12, "/bin/y", "y"); // nobody
        QVERIFY(!f.processes.lastProcess(12).isValid());
    }

    void theReportThatComesLateMovesTheStart()
    {
        Fixture f;
        const ImageId first = (f.processes.processSeen(10, 0, at(0)), f.processes.currentImage(10));
        const ImageId traced = f.processes.execSeen(10, at(130), ProcessSource::Tracer, "/bin/x", "x");
        QCOMPARE(f.processes.execSeen(10, at(100), ProcessSource::Perf, "/bin/x", "").value, traced.value);
        QCOMPARE(f.image(traced).start, at(100));
        QCOMPARE(f.image(first).end.value_or(at(0)), at(100));
        QCOMPARE(f.processes.imageAt(10, at(99)).value, first.value);
        QCOMPARE(f.processes.imageAt(10, at(100)).value, traced.value);
    }

    void anImageThatTheLauncherNamedAfterTheTracerConnectedIsTheSame()
    {
        Fixture f;
        const ImageId named = f.processes.execSeen(10, at(140), ProcessSource::Launcher, "/bin/x", "x");
        QCOMPARE(f.processes.execSeen(10, at(130), ProcessSource::Tracer, "/bin/x", "x").value, named.value);
        QCOMPARE(f.tables.tables().images.size(), std::size_t{1});
        QCOMPARE(f.tables.tables().processes[0].start.ns, at(130).ns);
    }

    void anImageThatProcFoundBeforeTheTracerToldIsTheSame()
    {
        Fixture f;
        f.processes.processSeen(10, 0, at(0));
        const ImageId found = f.processes.execSeen(10, at(200), ProcessSource::Proc, "/bin/x", "x");
        QCOMPARE(f.processes.execSeen(10, at(130), ProcessSource::Tracer, "/bin/x", "x").value, found.value);
        QCOMPARE(f.processes.execSeen(10, at(100), ProcessSource::Perf, "/bin/x", "").value, found.value);
        QCOMPARE(f.image(found).start, at(100));
        QCOMPARE(f.image(found).epoch, 1U);
    }

    void whatALaunchedProgramExecutedBeforeAnybodyLookedComesAfterIt()
    {
        // env PROGRAM, and /proc is read before the tracer's reports are.
        Fixture f;
        f.processes.execSeen(10, at(0), ProcessSource::Launcher, "/usr/bin/env", "env x");
        const ImageId found = f.processes.execSeen(10, at(50), ProcessSource::Proc, "/bin/x", "x");
        const ImageId env = f.processes.execSeen(10, at(20), ProcessSource::Tracer, "/usr/bin/env", "env x");
        const ImageId program = f.processes.execSeen(10, at(40), ProcessSource::Tracer, "/bin/x", "x");
        QCOMPARE(f.tables.tables().images.size(), std::size_t{2});
        QCOMPARE(program.value, found.value); // what was told of it stays its own
        QCOMPARE(f.executable(env), std::string("/usr/bin/env"));
        QCOMPARE(f.executable(program), std::string("/bin/x"));
        QCOMPARE(f.image(env).epoch, 0U);
        QCOMPARE(f.image(program).epoch, 1U);
        QCOMPARE(f.image(env).start.ns, 0);
        QCOMPARE(f.image(program).start.ns, 40);
        QCOMPARE(f.image(env).end.value_or(at(0)).ns, 40);
        // The kernel's exact times change none of it.
        QCOMPARE(f.processes.execSeen(10, at(10), ProcessSource::Perf, "/usr/bin/env", "").value, env.value);
        QCOMPARE(f.processes.execSeen(10, at(30), ProcessSource::Perf, "/bin/x", "").value, program.value);
        QCOMPARE(f.image(program).start.ns, 30);
    }

    void aFileWithinAnotherRootIsTheSameFromWithout()
    {
        Fixture f;
        f.processes.processSeen(10, 0, at(0));
        const ImageId within = f.processes.execSeen(10, at(100), ProcessSource::Perf, "/bin/x", "");
        QCOMPARE(f.processes.execSeen(10, at(150), ProcessSource::Proc, "/srv/root/bin/x", "x").value, within.value);
        QVERIFY(
            f.processes.execSeen(10, at(160), ProcessSource::Tracer, "/srv/root/sbin/x", "x").value != within.value);
    }

    void twoExecsOfOneSourceAreTwoImages()
    {
        Fixture f;
        const ImageId shell = f.processes.execSeen(10, at(100), ProcessSource::Perf, "/bin/sh", "");
        const ImageId tool = f.processes.execSeen(10, at(200), ProcessSource::Perf, "/bin/sort", "");
        QVERIFY(shell != tool);
        QCOMPARE(f.image(tool).epoch, 1U);
        QCOMPARE(f.image(shell).end.value_or(at(0)), at(200));
        QCOMPARE(f.processes.execSeen(10, at(210), ProcessSource::Tracer, "/bin/sort", "sort").value, tool.value);
        QCOMPARE(f.processes.currentImage(10).value, tool.value);
    }

    void aSourceThatMissedAnExecIsNotTakenForIt()
    {
        Fixture f;
        const ImageId fixedProgram = f.processes.execSeen(10, at(100), ProcessSource::Perf, "/bin/static", "");
        const ImageId next = f.processes.execSeen(10, at(220), ProcessSource::Tracer, "/bin/next", "next");
        QVERIFY(fixedProgram != next);
        QCOMPARE(f.processes.execSeen(10, at(200), ProcessSource::Perf, "/bin/next", "").value, next.value);
    }

    void aChildRunsWhatItsParentRuns()
    {
        Fixture f;
        f.processes.execSeen(10, at(100), ProcessSource::Perf, "/bin/sh", "sh -c x");
        const ProcessId child = f.processes.processSeen(11, 10, at(200));
        QCOMPARE(f.executable(f.processes.currentImage(11)), std::string("/bin/sh"));
        QCOMPARE(f.tables.tables().processes[child.index()].parent.value, f.processes.liveProcess(10).value);
    }

    void aChildRunsWhatItsParentRanAlsoWhenThatIsToldLater()
    {
        Fixture f;
        f.processes.execSeen(10, at(100), ProcessSource::Perf, "/usr/bin/env", "env bash x");
        f.processes.processSeen(11, 10, at(300));
        f.processes.processSeen(12, 11, at(320));
        f.processes.processSeen(13, 10, at(150));
        f.processes.execSeen(12, at(340), ProcessSource::Tracer, "/bin/sort", "sort");
        f.processes.processEnded(11, at(400), 0);
        f.processes.execSeen(10, at(200), ProcessSource::Perf, "/bin/bash", "bash x");
        QCOMPARE(f.executable(f.processes.currentImage(11)), std::string("/bin/bash"));
        QCOMPARE(f.executable(f.processes.imageAt(12, at(330))), std::string("/bin/bash"));
        QCOMPARE(f.executable(f.processes.currentImage(12)), std::string("/bin/sort"));
        QCOMPARE(f.executable(f.processes.currentImage(13)), std::string("/usr/bin/env"));
    }

    void aPidThatIsUsedAgainIsAnotherProcess()
    {
        Fixture f;
        const ProcessId first = f.processes.processSeen(10, 0, at(0));
        const ImageId firstImage = f.processes.currentImage(10);
        f.processes.processEnded(10, at(100), std::nullopt);
        QVERIFY(!f.processes.liveProcess(10).isValid());
        QCOMPARE(f.processes.processSeen(10, 0, at(90)).value, first.value);
        const ProcessId second = f.processes.processSeen(10, 0, at(200));
        QVERIFY(first != second);
        QCOMPARE(f.processes.imageAt(10, at(50)).value, firstImage.value);
        QVERIFY(f.processes.imageAt(10, at(250)) != firstImage);
    }

    void theStatusMayComeAfterTheEnd()
    {
        Fixture f;
        const ProcessId process = f.processes.processSeen(10, 0, at(0));
        f.processes.processEnded(10, at(100), std::nullopt);
        f.processes.processEnded(10, at(150), 256);
        const Process &row = f.tables.tables().processes[process.index()];
        QCOMPARE(row.end.value_or(at(0)), at(100));
        QCOMPARE(row.waitStatus.value_or(0), 256);
    }

    void threadsEndWithTheirProcessAndTidsAreReused()
    {
        Fixture f;
        f.processes.threadNamed(10, 11, "worker", at(10));
        const ThreadId first = f.processes.threadSeen(10, 11, at(20));
        f.processes.threadEnded(10, 11, at(30));
        QCOMPARE(f.processes.threadSeen(10, 11, at(25)).value, first.value);
        const ThreadId second = f.processes.threadSeen(10, 11, at(40));
        QVERIFY(first != second);
        f.processes.processEnded(10, at(50), 0);
        QCOMPARE(f.tables.tables().threads[first.index()].end.value_or(at(0)), at(30));
        QCOMPARE(f.tables.tables().threads[second.index()].end.value_or(at(0)), at(50));
        QCOMPARE(f.tables.tables().text(f.tables.tables().threads[first.index()].name), std::string("worker"));
    }

    /// Perf tells its end before the heap's side has seen the ring that it took shortly before.
    void aThreadThatIsFoundAfterItsEndIsNoOther()
    {
        Fixture f;
        const ThreadId thread = f.processes.threadSeen(10, 11, at(10));
        f.processes.threadEnded(10, 11, at(30));
        f.processes.threadFound(10, 11, "worker", {at(25), at(40)});
        QCOMPARE(f.tables.tables().threads.size(), std::size_t{1});
        const Thread &row = f.tables.tables().threads[thread.index()];
        QCOMPARE(row.end.value_or(at(0)), at(30));
        QCOMPARE(f.tables.tables().text(row.name), std::string("worker"));
        f.processes.threadFound(10, 11, "next", {at(40), at(50)});
        QCOMPARE(f.tables.tables().threads.size(), std::size_t{2});
        QCOMPARE(f.tables.tables().threads.back().start, at(50));
    }

    /// A thread leaves /proc after perf has told its end: seen when a machine was busy, 4 ms later.
    void aThreadThatIsStillListedAfterItsEndIsNoOther()
    {
        Fixture f;
        const ThreadId thread = f.processes.threadSeen(10, 11, at(10));
        f.processes.threadEnded(10, 11, at(30));
        f.processes.threadListed(10, 11, "worker", at(34));
        QCOMPARE(f.tables.tables().threads.size(), std::size_t{1});
        const Thread &row = f.tables.tables().threads[thread.index()];
        QCOMPARE(row.end.value_or(at(0)), at(30));
        QCOMPARE(f.tables.tables().text(row.name), std::string("worker"));
        f.processes.threadListed(10, 11, "next", at(30) + Duration::fromMs(1001));
        QCOMPARE(f.tables.tables().threads.size(), std::size_t{2});
    }

    /// A shell is launched, execs env (static: no tracer), which execs python3; perf reports exactly but late, the tracer a little after
    /// each exec, /proc once a tick. Whatever the order in which the reports arrive, the same images come out.
    void everyOrderOfReportsGivesTheSameImages_data()
    {
        QTest::addColumn<QByteArray>("order");
        // p1…p3: perf; t1, t3: tracer; k: /proc, which saw python3 only; l: launcher, first always (it made the process).
        QTest::newRow("as it happened") << QByteArray("p1 t1 p2 p3 t3 k");
        QTest::newRow("perf late") << QByteArray("t1 t3 k p1 p2 p3");
        QTest::newRow("perf between") << QByteArray("t1 p1 t3 p2 p3 k");
        QTest::newRow("perf after two") << QByteArray("t1 p1 p2 t3 k p3");
        QTest::newRow("/proc before perf's last") << QByteArray("p1 t1 t3 k p2 p3");
        QTest::newRow("perf early") << QByteArray("p1 p2 p3 t3 k");
        QTest::newRow("no tracer") << QByteArray("p1 p2 k p3");
        QTest::newRow("no tracer, /proc first") << QByteArray("k p1 p2 p3");
    }
    void everyOrderOfReportsGivesTheSameImages()
    {
        QFETCH(QByteArray, order);
        Fixture f;
        f.processes.processSeen(10, 0, at(0));
        f.processes.execSeen(10, at(0), ProcessSource::Launcher, "/bin/sh", "sh -c x");
        for (const QByteArray &report : order.split(' ')) {
            if (report == "p1")
                f.processes.execSeen(10, at(100), ProcessSource::Perf, "/usr/bin/dash", "");
            else if (report == "t1")
                f.processes.execSeen(10, at(130), ProcessSource::Tracer, "/usr/bin/dash", "sh -c x");
            else if (report == "p2")
                f.processes.execSeen(10, at(200), ProcessSource::Perf, "/opt/env", "");
            else if (report == "p3")
                f.processes.execSeen(10, at(300), ProcessSource::Perf, "/usr/bin/python3.11", "python3 x.py");
            else if (report == "t3")
                f.processes.execSeen(10, at(330), ProcessSource::Tracer, "/usr/bin/python3.11", "python3 x.py");
            else if (report == "k")
                f.processes.execSeen(10, at(900), ProcessSource::Proc, "/usr/bin/python3.11", "python3 x.py");
        }
        const ImageId shell = f.processes.imageAt(10, at(150));
        const ImageId wrapper = f.processes.imageAt(10, at(250));
        const ImageId python = f.processes.imageAt(10, at(350));
        QCOMPARE(f.tables.tables().images.size(), std::size_t{3});
        QCOMPARE(f.executable(shell), std::string("/usr/bin/dash"));
        QCOMPARE(f.executable(wrapper), std::string("/opt/env"));
        QCOMPARE(f.executable(python), std::string("/usr/bin/python3.11"));
        QCOMPARE(f.tables.tables().text(f.image(python).commandLine), std::string("python3 x.py"));
        QCOMPARE(f.image(shell).epoch, 0U);
        QCOMPARE(f.image(wrapper).epoch, 1U);
        QCOMPARE(f.image(python).epoch, 2U);
        QCOMPARE(f.image(wrapper).start, at(200));
        QCOMPARE(f.image(python).start, at(300));
        QCOMPARE(f.image(shell).end.value_or(at(0)), at(200));
        QCOMPARE(f.image(wrapper).end.value_or(at(0)), at(300));
        QVERIFY(!f.image(python).end);
    }

    void aForkReportedAfterTheExecOfItsChildGivesTheSameImages_data()
    {
        QTest::addColumn<QByteArray>("order");
        QTest::newRow("fork first") << QByteArray("f e t");
        QTest::newRow("tracer first") << QByteArray("t f e");
        QTest::newRow("fork last of perf's") << QByteArray("t e f");
    }
    void aForkReportedAfterTheExecOfItsChildGivesTheSameImages()
    {
        QFETCH(QByteArray, order);
        Fixture f;
        f.processes.execSeen(10, at(0), ProcessSource::Launcher, "/bin/sh", "sh");
        for (const QByteArray &report : order.split(' ')) {
            if (report == "f")
                f.processes.processSeen(11, 10, at(50));
            else if (report == "e")
                f.processes.execSeen(11, at(100), ProcessSource::Perf, "/bin/sort", "");
            else
                f.processes.execSeen(11, at(130), ProcessSource::Tracer, "/bin/sort", "sort -u");
        }
        const Process &child = f.tables.tables().processes[f.processes.liveProcess(11).index()];
        QCOMPARE(child.start, at(50));
        QCOMPARE(child.parent, f.processes.liveProcess(10));
        QCOMPARE(f.image(f.processes.imageAt(11, at(60))).epoch, 0U);
        QCOMPARE(f.image(f.processes.imageAt(11, at(60))).end.value_or(at(0)), at(100));
        QCOMPARE(f.image(f.processes.imageAt(11, at(100))).epoch, 1U);
        QCOMPARE(f.executable(f.processes.currentImage(11)), std::string("/bin/sort"));
        QCOMPARE(f.tables.tables().images.size(), std::size_t{3});
    }

    void theSameProgramTwiceIsTwoImages()
    {
        Fixture f;
        const ImageId first = f.processes.execSeen(10, at(100), ProcessSource::Tracer, "/bin/sh", "sh a");
        const ImageId second = f.processes.execSeen(10, at(200), ProcessSource::Tracer, "/bin/sh", "sh b");
        QVERIFY(first != second);
        QCOMPARE(f.processes.execSeen(10, at(90), ProcessSource::Perf, "/bin/sh", ""), first);
        QCOMPARE(f.processes.execSeen(10, at(190), ProcessSource::Perf, "/bin/sh", ""), second);
        QCOMPARE(f.processes.execSeen(10, at(900), ProcessSource::Proc, "/bin/sh", "sh b"), second);
        QCOMPARE(f.tables.tables().images.size(), std::size_t{2});
    }

    void aChainOfExecsToldLateByTheKernelIsNotLonger()
    {
        // On a busy machine the tracer's reports of a chain that took milliseconds come before the kernel's records are read.
        Fixture f;
        const ImageId first = f.processes.execSeen(10, at(0), ProcessSource::Launcher, "/bin/x", "x");
        QCOMPARE(f.processes.execSeen(10, at(130), ProcessSource::Tracer, "/bin/x", "x"), first);
        const ImageId second = f.processes.execSeen(10, at(230), ProcessSource::Tracer, "/bin/x", "x 2");
        const ImageId third = f.processes.execSeen(10, at(330), ProcessSource::Tracer, "/bin/x", "x 3");
        QCOMPARE(f.processes.execSeen(10, at(100), ProcessSource::Perf, "/bin/x", ""), first);
        QCOMPARE(f.processes.execSeen(10, at(200), ProcessSource::Perf, "/bin/x", ""), second);
        QCOMPARE(f.processes.execSeen(10, at(300), ProcessSource::Perf, "/bin/x", ""), third);
        QCOMPARE(f.tables.tables().images.size(), std::size_t{3});
        QCOMPARE(f.image(second).start, at(200));
    }

    void theEndMayBeReportedBeforeTheExec()
    {
        Fixture f;
        const ProcessId process = f.processes.processSeen(10, 0, at(0));
        const ImageId image = f.processes.execSeen(10, at(0), ProcessSource::Launcher, "/bin/true", "true");
        f.processes.processEnded(10, at(500), 0);
        QCOMPARE(f.processes.execSeen(10, at(100), ProcessSource::Perf, "/usr/bin/true", ""), image);
        const ImageId second = f.processes.execSeen(10, at(200), ProcessSource::Perf, "/usr/bin/false", "");
        QCOMPARE(f.image(second).end.value_or(at(0)), at(500));
        f.processes.processEnded(10, at(300), std::nullopt);
        QCOMPARE(f.image(second).end.value_or(at(0)), at(300));
        QCOMPARE(f.tables.tables().processes[process.index()].end.value_or(at(0)), at(300));
        QCOMPARE(f.tables.tables().processes[process.index()].waitStatus.value_or(-1), 0);
        QCOMPARE(f.processes.imageAt(10, at(1000)), second);
        QCOMPARE(f.tables.tables().processes.size(), std::size_t{1});
        QVERIFY(f.processes.livePids().empty());
    }

    void anExecBeforeARoughStartIsTheOneThatProcFound_data()
    {
        QTest::addColumn<QByteArray>("order");
        QTest::newRow("tracer, fork, perf") << QByteArray("t f e");
        QTest::newRow("fork, perf, tracer") << QByteArray("f e t");
        QTest::newRow("perf late") << QByteArray("t e f");
        QTest::newRow("no perf") << QByteArray("t");
    }
    void anExecBeforeARoughStartIsTheOneThatProcFound()
    {
        QFETCH(QByteArray, order);
        Fixture f;
        f.processes.execSeen(10, at(0), ProcessSource::Launcher, "/bin/make", "make");
        f.processes.processSeen(11, 10, at(200)); // from /proc
        const ImageId found = f.processes.execSeen(11, at(300), ProcessSource::Proc, "/bin/sh", "sh");
        for (const QByteArray &report : order.split(' ')) {
            if (report == "t")
                QCOMPARE(f.processes.execSeen(11, at(130), ProcessSource::Tracer, "/bin/sh", "sh"), found);
            else if (report == "e")
                QCOMPARE(f.processes.execSeen(11, at(100), ProcessSource::Perf, "/bin/sh", ""), found);
            else
                f.processes.processSeen(11, 10, at(50));
        }
        QCOMPARE(f.tables.tables().images.size(), std::size_t{3});
        QCOMPARE(f.executable(f.processes.imageAt(11, at(60))), std::string("/bin/make"));
        QCOMPARE(f.image(found).epoch, 1U);
        QVERIFY(f.image(found).start <= at(130));
    }

    void reportsThatComeAfterTheEndAreOfTheProcessThatEnded()
    {
        Fixture f;
        const ProcessId process = f.processes.processSeen(10, 0, at(0));
        const ImageId image = f.processes.execSeen(10, at(100), ProcessSource::Perf, "/bin/x", "");
        f.processes.processEnded(10, at(500), std::nullopt);
        // The tracer's threads and what /proc showed have the time at which the recorder came to look.
        f.processes.threadNamed(10, 11, "worker", at(900));
        QCOMPARE(f.processes.execSeen(10, at(910), ProcessSource::Proc, "/bin/x", "x -v"), image);
        QCOMPARE(f.processes.execSeen(10, at(920), ProcessSource::Tracer, "/bin/x", "x -v"), image);
        QCOMPARE(f.tables.tables().processes.size(), std::size_t{1});
        QVERIFY(f.processes.livePids().empty());
        QCOMPARE(f.processes.lastProcess(10), process);
        const Thread &thread = f.tables.tables().threads.back();
        QCOMPARE(thread.process, process);
        QCOMPARE(thread.start, at(500));
        QCOMPARE(thread.end.value_or(at(0)), at(500));
    }

    void aLateReportIsOfTheProcessThatHasThePidByThen()
    {
        Fixture f;
        const ProcessId first = f.processes.processSeen(10, 0, at(0));
        f.processes.processEnded(10, at(500), std::nullopt);
        const ProcessId second = f.processes.processSeen(10, 0, at(700));
        QVERIFY(first != second);
        const ThreadId thread = f.processes.threadSeen(10, 10, at(800));
        QCOMPARE(f.tables.tables().threads[thread.index()].process, second);
        f.processes.processEnded(10, at(1000), std::nullopt);
        const ImageId third = f.processes.execSeen(10, at(3'000'000'000), ProcessSource::Tracer, "/bin/y", "y");
        QVERIFY(f.image(third).process != second);
    }

    void anExecEndsAllOtherThreads()
    {
        Fixture f;
        f.processes.processSeen(10, 0, at(0));
        const ThreadId leader = f.processes.threadSeen(10, 10, at(0));
        const ThreadId other = f.processes.threadSeen(10, 11, at(50));
        f.processes.execSeen(10, at(100), ProcessSource::Perf, "/bin/x", "");
        QVERIFY(!f.tables.tables().threads[leader.index()].end);
        QCOMPARE(f.tables.tables().threads[other.index()].end.value_or(at(0)), at(100));
        QVERIFY(f.processes.threadSeen(10, 11, at(150)) != other);
    }

    void theLatestNameOfAThreadHolds()
    {
        Fixture f;
        f.processes.threadNamed(10, 11, "later", at(50));
        f.processes.threadNamed(10, 11, "earlier", at(20));
        const Thread &thread = f.tables.tables().threads[f.processes.threadSeen(10, 11, at(30)).index()];
        QCOMPARE(f.tables.tables().text(thread.name), std::string("later"));
        QCOMPARE(thread.start, at(20));
    }

    void aNameThatIsFoundWithinATimeIsOlderThanOneToldInIt()
    {
        Fixture f;
        f.processes.threadFound(10, 11, "first", {at(0), at(20)});
        f.processes.threadNamed(10, 11, "renamed", at(25));
        f.processes.threadFound(10, 11, "first", {at(20), at(40)});
        const Thread &thread = f.tables.tables().threads.front();
        QCOMPARE(f.tables.tables().text(thread.name), std::string("renamed"));
    }

    void nobodyKnowsAnUnknownPid()
    {
        Fixture f;
        QVERIFY(!f.processes.imageAt(99, at(0)).isValid());
        QVERIFY(!f.processes.currentImage(99).isValid());
        QVERIFY(!f.processes.liveProcess(99).isValid());
        f.processes.processEnded(99, at(0), 0);
        f.processes.threadEnded(99, 99, at(0));
        QVERIFY(f.tables.tables().processes.empty());
        QVERIFY(f.tables.tables().threads.empty());
    }
};

QTEST_APPLESS_MAIN(ProcessTableTest)
#include "process_table_test.moc"
