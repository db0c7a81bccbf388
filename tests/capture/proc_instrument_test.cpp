// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/proc/proc_instrument.h"
#include "capture/target/target_process.h"
#include "tests/capture/proc_fixture.h"

#include <QTest>

#include <poll.h>

using capture::ProcInstrument;
using capture::ProcOptions;
using capture::RootOrigin;
using model::Metric;
using model::Timestamp;
using tests::FakeProcess;
using tests::kSecond;
using tests::valueOf;
using Fixture = tests::ProcFixture;

class ProcInstrumentTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void memoryOfAGroupOfTheFirstVersionIsReadWhereTheSecondHasNone()
    {
        Fixture f;
        f.proc.write("self/mountinfo", "25 1 0:22 / " + f.proc.cgroupRoot() + " rw - cgroup cgroup rw,memory\n");
        f.proc.writeGroup("old/memory.usage_in_bytes", "700000\n");
        f.proc.writeGroup("old/memory.limit_in_bytes", "4000000\n");
        f.proc.set({.pid = 10, .startTicks = 1000, .cgroup = "9:memory:/old\n0::/\n"});
        f.start({10});
        const model::MetricsRow row = f.tickAfter(kSecond).metrics.at(0);
        QCOMPARE(valueOf(row, Metric::CgroupMemory), 700'000);
        QCOMPARE(valueOf(row, Metric::MemoryLimit), 4'000'000);
    }

    void levelsAreTheValuesAtTheEndOfTheTick()
    {
        Fixture f;
        FakeProcess p{.pid = 10};
        f.proc.set(p);
        f.start({10});
        p.rssKb = 3000;
        f.proc.set(p);
        const auto batch = f.tickAfter(kSecond);
        QCOMPARE(batch.metrics.size(), std::size_t{1});
        const auto &row = batch.metrics.front();
        QCOMPARE(row.process, f.table.liveProcess(10));
        QCOMPARE(valueOf(row, Metric::Rss), (3000 + 2048) * 1024);
        QCOMPARE(valueOf(row, Metric::Anonymous), 600 * 1024);
        QCOMPARE(valueOf(row, Metric::FileBacked), 300 * 1024);
        QCOMPARE(valueOf(row, Metric::Shared), 100 * 1024);
        QCOMPARE(valueOf(row, Metric::Swap), 7 * 1024);
        QCOMPARE(valueOf(row, Metric::VirtualSize), 5000 * 1024);
        QCOMPARE(valueOf(row, Metric::Pss), 500 * 1024);
        QCOMPARE(valueOf(row, Metric::Threads), 1);
        QCOMPARE(valueOf(row, Metric::CgroupMemory), 2'000'000);
        QCOMPARE(valueOf(row, Metric::MemoryLimit), 9'000'000);
        QCOMPARE(valueOf(row, Metric::MemoryPressure), 1250);
        QCOMPARE(valueOf(row, Metric::SystemAvailable), 4000 * 1024);
        QVERIFY(batch.losses.empty());
    }

    /// What was most since a process began was reached in the tick in which the kernel says another number.
    void whatWasMostWithinATickIsKnown_data()
    {
        QTest::addColumn<bool>("isRunning");
        QTest::newRow("launched") << false;
        QTest::newRow("from before the recording") << true;
    }
    void whatWasMostWithinATickIsKnown()
    {
        QFETCH(bool, isRunning);
        Fixture f;
        FakeProcess p{.pid = 10, .rssKb = 1000, .mostRssKb = 5000};
        f.proc.set(p);
        f.start({10}, isRunning ? RootOrigin::Running : RootOrigin::Launched);
        const auto mostKb
            = [&] { return valueOf(f.tickAfter(kSecond).metrics.front(), Metric::RssPeak) / 1024 - 2048; };
        QCOMPARE(mostKb(), isRunning ? 1000 : 5000);
        QCOMPARE(mostKb(), 1000); // the same number says nothing of this tick
        p.mostRssKb = 7000;
        f.proc.set(p);
        QCOMPARE(mostKb(), 7000);
        p.rssKb = 900;
        p.mostRssKb = 950; // of another program in the process
        f.proc.set(p);
        QCOMPARE(mostKb(), 950);
        p.mostRssKb = 0;
        f.proc.set(p);
        QCOMPARE(mostKb(), 900);
    }

    void ratesAreMeansOverTheTrueLengthOfTheTick()
    {
        Fixture f;
        FakeProcess p{.pid = 10, .startTicks = 1000};
        f.proc.set(p);
        f.start({10});
        p.userTicks = 30; // 300 ms in 400 ms
        p.systemTicks = 10;
        p.minorFaults = 100;
        p.majorFaults = 2;
        p.readBytes = 4000;
        p.writtenBytes = 800;
        p.switchesPerThread = 20;
        f.proc.set(p);
        const auto first = f.tickAfter(kSecond * 2 / 5).metrics.front();
        QCOMPARE(valueOf(first, Metric::CpuUser), 75'000);
        QCOMPARE(valueOf(first, Metric::CpuSystem), 25'000);
        QCOMPARE(valueOf(first, Metric::MinorFaults), 250);
        QCOMPARE(valueOf(first, Metric::MajorFaults), 5);
        QCOMPARE(valueOf(first, Metric::ReadBytes), 10'000);
        QCOMPARE(valueOf(first, Metric::WrittenBytes), 2'000);
        QCOMPARE(valueOf(first, Metric::VoluntarySwitches), 50);
        QCOMPARE(valueOf(first, Metric::InvoluntarySwitches), 100);
        QCOMPARE(valueOf(f.tickAfter(kSecond).metrics.front(), Metric::CpuUser), 0);
    }

    void whatARunningProcessUsedBeforeIsNotCounted()
    {
        Fixture f;
        f.proc.set({.pid = 10, .userTicks = 500, .minorFaults = 7, .startTicks = 3});
        f.start({10}, RootOrigin::Running);
        const auto row = f.tickAfter(kSecond).metrics.front();
        QCOMPARE(valueOf(row, Metric::CpuUser), 0);
        QCOMPARE(valueOf(row, Metric::MinorFaults), 0);
        QCOMPARE(f.process(row.process).start.ns, 0);
        QCOMPARE(f.builder.tables().images.size(), std::size_t{1});
    }

    void limitsOfTheAddressSpaceAndOfTheGroupAreKeptApart()
    {
        Fixture f;
        f.proc.set({.pid = 10, .addressSpace = "5000000"});
        f.start({10});
        const auto row = f.tickAfter(kSecond).metrics.front();
        QCOMPARE(valueOf(row, Metric::AddressLimit), 5'000'000);
        QCOMPARE(valueOf(row, Metric::MemoryLimit), 9'000'000);
    }

    void withoutControlGroupsNothingIsMadeUp()
    {
        Fixture f;
        f.proc.write("self/mountinfo", "22 1 0:21 / /proc rw - proc proc rw\n");
        f.proc.set({.pid = 10});
        f.start({10});
        const auto row = f.tickAfter(kSecond).metrics.front();
        QVERIFY(!row.values.get(Metric::MemoryLimit));
        QVERIFY(!row.values.get(Metric::CgroupMemory));
        QVERIFY(!row.values.get(Metric::MemoryPressure));
    }

    void descendantsAreFound()
    {
        Fixture f;
        f.proc.set({.pid = 10, .children = "11 12 "});
        f.proc.set({.pid = 11, .parentPid = 10, .startTicks = 1000, .children = "13 "});
        f.proc.set({.pid = 12, .parentPid = 10, .startTicks = 1000});
        f.proc.set({.pid = 13, .parentPid = 11, .startTicks = 1000});
        f.proc.set({.pid = 99});
        f.start({10});
        QCOMPARE(f.tickAfter(kSecond).metrics.size(), std::size_t{4});
        QCOMPARE(f.process(f.table.liveProcess(13)).parent, f.table.liveProcess(11));
        QCOMPARE(f.process(f.table.liveProcess(11)).parent, f.table.liveProcess(10));
        QVERIFY(!f.table.liveProcess(99).isValid());
    }

    void processesThatOthersReportAreTakenOver()
    {
        Fixture f;
        f.proc.set({.pid = 10});
        f.start({10});
        f.proc.set({.pid = 20, .parentPid = 1, .startTicks = 1001});
        const auto reported = f.table.processSeen(20, 10, Timestamp{12'345'678});
        f.tickAfter(kSecond);
        QCOMPARE(f.table.liveProcess(20), reported);
        QCOMPARE(f.process(reported).start.ns, 12'345'678); // not the coarse one of /proc
    }

    void aForkedChildHasNoImageOfItsOwnUntilItExecs()
    {
        Fixture f;
        // Its parent has called exec since, so the two have different addresses.
        FakeProcess child{.pid = 11, .parentPid = 10, .startTicks = 1000, .startStack = 0x8000, .isFork = true};
        f.proc.set({.pid = 10, .executable = "/bin/shell", .children = "11 "});
        child.executable = "/bin/shell";
        f.proc.set(child);
        f.start({10});
        f.tickAfter(kSecond);
        QCOMPARE(f.builder.tables().images.size(), std::size_t{2});
        QCOMPARE(f.executableOf(11), std::string("/bin/shell"));
        child.executable = "/bin/sorter";
        child.isFork = false;
        f.proc.set(child);
        f.tickAfter(kSecond);
        QCOMPARE(f.builder.tables().images.size(), std::size_t{3});
        QCOMPARE(f.executableOf(11), std::string("/bin/sorter"));
        const auto &image = f.builder.tables().images.at(f.table.currentImage(11).index());
        QCOMPARE(image.epoch, 1U);
        QCOMPARE(image.start.ns, 2 * kSecond);
        QCOMPARE(f.builder.tables().text(image.commandLine), std::string("worker --fast"));
    }

    void aDaemonRunsWhatItsParentRanThatHasEnded()
    {
        Fixture f;
        f.proc.set({.pid = 10, .executable = "/bin/daemon"});
        f.start({10});
        f.table.processSeen(11, 10, Timestamp{1'000'000});
        f.table.processSeen(12, 11, Timestamp{2'000'000});
        f.table.processEnded(11, Timestamp{3'000'000}, 0);
        FakeProcess daemon{.pid = 12, .parentPid = 1, .startTicks = 1000, .isFork = true};
        daemon.executable = "/bin/daemon";
        f.proc.set(daemon);
        f.tickAfter(kSecond);
        f.tickAfter(kSecond);
        QCOMPARE(f.builder.tables().images.size(), std::size_t{3});
        QCOMPARE(f.executableOf(12), std::string("/bin/daemon"));
    }

    void anExecThatIsUnderWayIsReportedOnceItIsDone()
    {
        Fixture f;
        FakeProcess child{.pid = 11, .parentPid = 10, .startTicks = 1000, .startCode = 0, .executable = "/bin/sorter"};
        f.proc.set({.pid = 10, .executable = "/bin/shell", .children = "11 "});
        f.proc.set(child);
        f.start({10});
        child.startCode = 0x5000;
        child.startStack = 0x9000;
        f.proc.set(child);
        f.tickAfter(kSecond);
        f.tickAfter(kSecond);
        QCOMPARE(f.builder.tables().images.size(), std::size_t{3}); // the shell, its copy, the sorter
        QCOMPARE(f.executableOf(11), std::string("/bin/sorter"));
    }

    void aProcessWhoseEndWasToldBeforeItIsFoundStaysOne()
    {
        Fixture f;
        f.proc.set({.pid = 10, .children = "11 "});
        f.start({10});
        f.proc.set({.pid = 11, .parentPid = 10, .startTicks = 1000});
        const auto reported = f.table.processSeen(11, 10, Timestamp{5'000'000});
        f.table.processEnded(11, Timestamp{6'000'000}, std::nullopt);
        f.tickAfter(kSecond); // /proc still shows it
        f.proc.set({.pid = 11, .parentPid = 10, .state = 'Z', .startTicks = 1000});
        f.tickAfter(kSecond);
        QCOMPARE(f.builder.tables().processes.size(), std::size_t{2});
        QCOMPARE(f.builder.tables().images.size(), std::size_t{2});
        QCOMPARE(f.process(reported).start.ns, 5'000'000);
        QCOMPARE(f.process(reported).end.value_or(Timestamp{0}).ns, 6'000'000);
    }

    void theRootsFirstImageIsTheProgramItself()
    {
        Fixture f;
        f.proc.set({.pid = 10, .startTicks = 1000});
        f.table.processSeen(10, 0, Timestamp{0});
        f.start({10});
        QCOMPARE(f.builder.tables().images.size(), std::size_t{1});
        QCOMPARE(f.executableOf(10), std::string("/usr/bin/worker"));
        QCOMPARE(f.builder.tables().images.front().epoch, 0U);
    }

    void aZombieGivesALastRow()
    {
        Fixture f;
        FakeProcess p{.pid = 10, .startTicks = 1000, .rssKb = 1500};
        f.proc.set(p);
        f.start({10});
        p.state = 'Z';
        p.userTicks = 2;
        f.proc.set(p);
        const auto batch = f.tickAfter(kSecond / 10);
        QCOMPARE(batch.metrics.size(), std::size_t{1});
        QCOMPARE(valueOf(batch.metrics.front(), Metric::CpuUser), 20'000);
        QCOMPARE(valueOf(batch.metrics.front(), Metric::Rss), (1500 + 2048) * 1024); // read at the start of the tick
        QVERIFY(!f.table.liveProcess(10).isValid());
        QVERIFY(f.tickAfter(kSecond).metrics.empty()); // also while nobody reaps it
        QCOMPARE(f.builder.tables().processes.size(), std::size_t{1});
        QVERIFY(batch.losses.empty());
    }

    void whatADyingProcessHadIsOfItsLastMoments()
    {
        Fixture f;
        FakeProcess p{.pid = 10, .startTicks = 1000, .rssKb = 50'000, .mostRssKb = 60'000};
        f.proc.set(p);
        f.proc.write("10/smaps", "00400000-10400000 rw-p 00000000 00:00 0 [heap]\nRss: 52048 kB\nPss: 52048 kB\n");
        f.start({10});
        f.tickAfter(kSecond / 10); // a look within the first tick
        p.rssKb = 1000;            // all was given back
        f.proc.set(p);
        f.clockNs += kSecond / 10;
        f.instrument->drain(Timestamp{f.clockNs});
        p.state = 'Z';
        f.proc.set(p);
        const auto batch = f.tickAfter(kSecond / 10);
        QCOMPARE(valueOf(batch.metrics.at(0), Metric::Rss), (1000 + 2048) * 1024);
        QVERIFY(batch.memoryParts.at(0).heap <= (1000 + 2048) * 1024);
    }

    void pagesCountThoughTheKernelsCounterIsRough()
    {
        // With many processors it may lag by some MiB.
        Fixture f;
        f.proc.set({.pid = 10, .rssKb = 4000});
        f.proc.write("10/smaps", "00400000-10400000 rw-p 00000000 00:00 0 [heap]\nRss: 2500 kB\nPss: 2500 kB\n");
        f.start({10});
        const auto batch = f.tickAfter(kSecond / 10);
        QCOMPARE(batch.memoryParts.size(), std::size_t{1});
        QVERIFY(batch.memoryParts.at(0).isMeasured);
    }

    void pagesDoNotCountOfAProgramThatIsReplacedAsTheyAreRead()
    {
        Fixture f;
        FakeProcess p{.pid = 10, .rssKb = 50'000};
        f.proc.set(p);
        f.proc.write("10/smaps", "00400000-10400000 rw-p 00000000 00:00 0 [heap]\nRss: 1 kB\nPss: 1 kB\n");
        int reads = 0;
        f.knownMemory = [&](std::int32_t) { // asked once the pages are known
            ++reads;
            p.startCode += 4096;
            f.proc.set(p);
            return capture::KnownMemory();
        };
        f.start({10});
        const auto batch = f.tickAfter(1);
        QVERIFY(reads > 0);
        QVERIFY(batch.memoryParts.empty() || !batch.memoryParts.at(0).isMeasured);
    }

    void aZombieLeaderWithThreadsIsAlive()
    {
        Fixture f;
        f.proc.set({.pid = 10, .state = 'Z', .threads = {11}});
        f.start({10});
        QCOMPARE(f.tickAfter(kSecond).metrics.size(), std::size_t{1});
        QVERIFY(f.table.liveProcess(10).isValid());
    }

    void aProcessThatVanishesBetweenTwoReadsHasEnded()
    {
        Fixture f;
        f.proc.set({.pid = 10});
        f.start({10});
        f.proc.remove(10);
        const auto batch = f.tickAfter(kSecond);
        QCOMPARE(batch.metrics.size(), std::size_t{1});
        QVERIFY(batch.losses.empty());
        QCOMPARE(f.process(batch.metrics.front().process).end.value_or(Timestamp{}).ns, kSecond);
    }

    void aPidThatIsUsedAgainIsAnotherProcess()
    {
        Fixture f;
        f.proc.set({.pid = 10, .children = "11 "});
        f.proc.set({.pid = 11, .parentPid = 10, .startTicks = 1000});
        f.start({10});
        const auto first = f.table.liveProcess(11);
        f.proc.remove(11);
        f.tickAfter(kSecond);
        f.proc.set({.pid = 11, .parentPid = 10, .startTicks = 1150});
        f.tickAfter(kSecond);
        QVERIFY(f.table.liveProcess(11).isValid());
        QVERIFY(f.table.liveProcess(11) != first);
        QCOMPARE(
            f.process(f.table.liveProcess(11)).start.ns, kSecond * 3 / 2 + kSecond / 100); // the end of that clock tick
    }

    void threadsAreNamedAndEnd()
    {
        Fixture f;
        FakeProcess p{.pid = 10, .threads = {11, 12}, .switchesPerThread = 10};
        f.proc.set(p);
        f.start({10});
        const auto thread = f.table.threadSeen(10, 11, Timestamp{0});
        const auto row = [&] { return f.builder.tables().threads.at(thread.index()); };
        QCOMPARE(f.builder.tables().text(row().name), std::string("thread-11"));
        QCOMPARE(valueOf(f.tickAfter(kSecond).metrics.front(), Metric::VoluntarySwitches), 30);
        p.threads = {12};
        f.proc.set(p);
        // The ended thread's switches are not taken back.
        QCOMPARE(valueOf(f.tickAfter(kSecond).metrics.front(), Metric::VoluntarySwitches), 0);
        QCOMPARE(row().end.value_or(Timestamp{}).ns, 2 * kSecond);
        p.switchesPerThread = 25;
        f.proc.set(p);
        QCOMPARE(valueOf(f.tickAfter(kSecond).metrics.front(), Metric::VoluntarySwitches), 30);
    }

    void expensivePssIsReadLessOften()
    {
        Fixture f;
        f.stepNs = 40'000'000; // each look at the clock takes 40 ms: a read of PSS costs that
        f.proc.set({.pid = 10});
        f.start({10});
        int present = 0;
        for (int tick = 0; tick < 12; ++tick)
            present += f.tickAfter(kSecond).metrics.front().values.get(Metric::Pss) ? 1 : 0;
        QVERIFY2(present >= 2 && present <= 5, qPrintable(QString::number(present)));
    }

    void filesThatMayNotBeReadAreCountedOnce()
    {
        Fixture f;
        f.proc.set({.pid = 10, .isIoReadable = false});
        f.start({10});
        const auto batch = f.tickAfter(kSecond);
        QCOMPARE(batch.losses.size(), std::size_t{1});
        QCOMPARE(batch.losses.front().kind, model::LossKind::MetricsUnreadable);
        QVERIFY(!batch.metrics.front().values.get(Metric::ReadBytes));
        QVERIFY(f.tickAfter(kSecond).losses.empty());
    }

    void processesThatCameAndWentUnseenAreCounted()
    {
        Fixture f;
        f.proc.set({.pid = 10});
        f.start({10});
        f.table.processSeen(50, 10, Timestamp{1000});
        f.table.processEnded(50, Timestamp{2000}, 0);
        const auto batch = f.tickAfter(kSecond);
        QCOMPARE(batch.losses.size(), std::size_t{1});
        QCOMPARE(batch.losses.front().kind, model::LossKind::ProcessesMissed);
        QCOMPARE(batch.losses.front().count, std::int64_t{1});
        QVERIFY(f.tickAfter(kSecond).losses.empty());
    }

    void whatHappensInAPauseIsNotCounted()
    {
        Fixture f;
        FakeProcess p{.pid = 10};
        f.proc.set(p);
        f.start({10});
        f.instrument->setPaused(true);
        p.minorFaults = 1000;
        f.proc.set(p);
        QVERIFY(f.tickAfter(kSecond).metrics.empty());
        p.minorFaults = 2000;
        f.proc.set(p);
        f.clockNs += kSecond;
        f.instrument->setPaused(false);
        p.minorFaults = 2010;
        f.proc.set(p);
        QCOMPARE(valueOf(f.tickAfter(kSecond).metrics.front(), Metric::MinorFaults), 10);
    }

    void aRealProcessOfFiveMillisecondsHasARow()
    {
        model::TableBuilder builder;
        model::ProcessTable table(builder);
        auto target = capture::TargetProcess::launch({{"true"}, "", {}}, capture::InheritedState::capture());
        QVERIFY(bool(target));
        ProcOptions options;
        options.roots = {target->pid()};
        ProcInstrument instrument(options, table);
        table.processSeen(target->pid(), 0, Timestamp{0});
        QVERIFY(!target->release());
        instrument.start(Timestamp{100'000});
        pollfd entry{target->endDescriptor(), POLLIN, 0};
        QCOMPARE(::poll(&entry, 1, 10'000), 1);
        model::EventBatch batch;
        instrument.drain(Timestamp{5'000'000});
        instrument.collect(Timestamp{5'000'000}, batch);
        QCOMPARE(target->look(), capture::TargetChange::Ended);
        QVERIFY(target->reap().has_value());
        QCOMPARE(batch.metrics.size(), std::size_t{1});
        QVERIFY(batch.metrics.front().values.get(Metric::CpuUser).has_value());
        QCOMPARE(builder.tables().processes.size(), std::size_t{1});
        QVERIFY(!table.liveProcess(target->pid()).isValid());
    }

    void thisProcessReadsAsItIs()
    {
        model::TableBuilder builder;
        model::ProcessTable table(builder);
        ProcOptions options;
        options.roots = {static_cast<std::int32_t>(::getpid())};
        options.origin = RootOrigin::Running;
        ProcInstrument instrument(options, table);
        instrument.start(Timestamp{0});
        std::vector<char> touched(32 << 20, 'x');
        model::EventBatch batch;
        instrument.collect(Timestamp{kSecond}, batch);
        const auto &row = batch.metrics.front();
        QVERIFY(valueOf(row, Metric::Rss) > static_cast<std::int64_t>(touched.size()));
        QVERIFY(valueOf(row, Metric::Pss) > static_cast<std::int64_t>(touched.size()));
        QVERIFY(valueOf(row, Metric::OpenFiles) >= 3);
        QVERIFY(valueOf(row, Metric::MinorFaults) > 0);
        QVERIFY(valueOf(row, Metric::SystemAvailable) > 0);
        const auto &image = builder.tables().images.at(table.currentImage(::getpid()).index());
        QVERIFY(builder.tables().text(image.executable).ends_with("proc_instrument_test"));
    }
};

QTEST_GUILESS_MAIN(ProcInstrumentTest)
#include "proc_instrument_test.moc"
