// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/perf/perf_event.h"

#include <QTemporaryDir>
#include <QTest>

#include <algorithm>
#include <fstream>

using namespace capture;

namespace {

using Cpus = std::vector<int>;

/// The kernel's folder of CPUs.
struct CpuFolder
{
    QTemporaryDir directory;
    CpuFolder(const char *online, const char *present)
    {
        write("online", online);
        write("present", present);
    }
    void write(const char *name, const char *list) const
    {
        std::ofstream(directory.filePath(QString::fromUtf8(name)).toStdString()) << list << '\n';
    }
    std::string path() const { return directory.path().toStdString(); }
};

} // namespace

class PerfCpusTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void readsTheKernelsLists()
    {
        QCOMPARE(cpusOfList("0-3,8\n"), (Cpus{0, 1, 2, 3, 8}));
        QCOMPARE(cpusOfList("0"), Cpus{0});
        QCOMPARE(cpusOfList("\n"), Cpus());
        QCOMPARE(cpusOfList("0-"), Cpus{0});
        QVERIFY(cpusOfList("0-2147483647").size() < 100'000);
    }

    void cpusThatMayComeOnlineAreOpenedToo()
    {
        const CpuFolder folder("0,2", "0-3");
        QCOMPARE(onlineCpus(folder.path()), (Cpus{0, 2}));
        QCOMPARE(presentCpus(folder.path()), (Cpus{0, 1, 2, 3}));
    }

    void withoutTheListThoseThatAreOnlineServe()
    {
        const CpuFolder folder("0-1", "");
        QCOMPARE(presentCpus(folder.path()), (Cpus{0, 1}));
    }

    void thisMachinesCpusAreThere()
    {
        const Cpus online = onlineCpus(), present = presentCpus();
        QVERIFY(!online.empty());
        QVERIFY(std::includes(present.begin(), present.end(), online.begin(), online.end()));
    }
};

QTEST_APPLESS_MAIN(PerfCpusTest)
#include "perf_cpus_test.moc"
