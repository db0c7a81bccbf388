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

constexpr Timestamp at(std::int64_t ns)
{
    return {ns};
}

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
        QCOMPARE(f.image(launched).epoch, 1U);
        QCOMPARE(f.executable(launched), std::string("python3"));
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

    void twoExecsOfOneSourceAreTwoImages()
    {
        Fixture f;
        const ImageId shell = f.processes.execSeen(10, at(100), ProcessSource::Perf, "/bin/sh", "");
        const ImageId tool = f.processes.execSeen(10, at(200), ProcessSource::Perf, "/bin/sort", "");
        QVERIFY(shell != tool);
        QCOMPARE(f.image(tool).epoch, 2U);
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
};

QTEST_APPLESS_MAIN(ProcessTableTest)
#include "process_table_test.moc"
