// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/proc/cgroup.h"
#include "capture/proc/memory_maps.h"
#include "capture/proc/proc_reader.h"
#include "capture/proc/process_reading.h"
#include "capture/proc/scheduler_times.h"
#include "capture/proc/smaps.h"
#include "capture/proc/stolen_time.h"
#include "tests/capture/fake_proc.h"

#include <QTest>

#include <unistd.h>

#include <algorithm>
#include <random>

using capture::parseMapping;
using capture::parseMaps;
using capture::parseSmaps;
using capture::parseStat;

namespace {

constexpr std::string_view kMaps
    = "55d0c0a00000-55d0c0a21000 r-xp 00002000 fd:01 1234                       /usr/bin/some tool\n"
      "55d0c1000000-55d0c1021000 rw-p 00000000 00:00 0                          [heap]\n"
      "7f0000000000-7f0000001000 rw-s 00000000 00:01 99                         /memfd:ring (deleted)\n"
      "7f0000001000-7f0000002000 r--p 00000000 fd:01 77                         /tmp/two\\012lines\\101x\n"
      "7f0000002000-7f0000003000 ---p 00000000 00:00 0 \n"
      "7fff00000000-7fff00001000 r-xp 00000000 00:00 0                          [vdso]\n";

constexpr std::string_view kStat
    = "4711 (a) b (c) S 42 1 1 0 -1 4194304 11 12 13 14 15 16 17 18 20 0 3 0 2100 4096000 77 1 9 8 7 6 5 4\n";

} // namespace

class ProcParsersTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void mapsKeepEveryByteOfAPath()
    {
        const auto maps = parseMaps(kMaps);
        QCOMPARE(maps.size(), std::size_t{6});
        QCOMPARE(maps[0].path, std::string("/usr/bin/some tool"));
        QCOMPARE(maps[0].begin, std::uint64_t{0x55d0c0a00000});
        QCOMPARE(maps[0].end, std::uint64_t{0x55d0c0a21000});
        QVERIFY(maps[0].isReadable && !maps[0].isWritable && maps[0].isExecutable && !maps[0].isShared);
        QCOMPARE(maps[0].fileOffset, std::uint64_t{0x2000});
        QCOMPARE(maps[0].deviceMajor, 0xfdU);
        QCOMPARE(maps[0].deviceMinor, 1U);
        QCOMPARE(maps[0].inode, std::uint64_t{1234});
        QVERIFY(maps[0].isFile() && !maps[0].isDeleted);
        QCOMPARE(maps[1].path, std::string("[heap]"));
        QVERIFY(!maps[1].isFile());
        QCOMPARE(maps[2].path, std::string("/memfd:ring"));
        QVERIFY(maps[2].isDeleted && maps[2].isShared);
        QCOMPARE(maps[3].path, std::string("/tmp/two\nlines\\101x"));
        QCOMPARE(maps[4].path, std::string());
        QCOMPARE(maps[5].path, std::string("[vdso]"));
    }

    void linesThatAreNoMappingArePassedOver_data()
    {
        QTest::addColumn<QByteArray>("line");
        QTest::newRow("empty") << QByteArray("");
        QTest::newRow("words") << QByteArray("no mapping at all");
        QTest::newRow("no end") << QByteArray("1000 r-xp 00000000 00:00 0");
        QTest::newRow("ends before it begins") << QByteArray("2000-1000 r-xp 00000000 00:00 0");
        QTest::newRow("too large") << QByteArray("1000-fffffffffffffffff r-xp 00000000 00:00 0");
        QTest::newRow("short permissions") << QByteArray("1000-2000 r-x");
        QTest::newRow("cut off") << QByteArray("1000-2000 r-xp 00000000 00:0");
        QTest::newRow("inode is no number") << QByteArray("1000-2000 r-xp 00000000 00:00 x /a");
    }
    void linesThatAreNoMappingArePassedOver()
    {
        QFETCH(QByteArray, line);
        QVERIFY(!parseMapping(line.toStdString()));
    }

    void numberOfMappingsIsBounded() { QCOMPARE(parseMaps(kMaps, 2).size(), std::size_t{2}); }

    void ourOwnMapsAreUnderstoodWhole()
    {
        const auto text = capture::readProcFile("/proc/self/maps");
        QVERIFY(text.has_value());
        QCOMPARE(parseMaps(*text).size(), static_cast<std::size_t>(std::count(text->begin(), text->end(), '\n')));
        const auto maps = capture::readMaps(::getpid());
        QVERIFY(std::any_of(maps.begin(), maps.end(), [](const auto &mapping) { return mapping.path == "[stack]"; }));
        QVERIFY(capture::readMaps(0x3ffffffe).empty());
    }

    void schedulerTimesNeedAKernelThatCounts()
    {
        const auto times = capture::parseSchedulerTimes("151606711 49553510 55\n");
        QVERIFY(times && times->onProcessorNs == 151606711 && times->waitedNs == 49553510);
        QVERIFY(!capture::parseSchedulerTimes("0 0 0\n"));
        QVERIFY(!capture::parseSchedulerTimes("151606711"));
        QVERIFY(!capture::parseSchedulerTimes(""));
    }

    void stolenTimeIsAShareOfWhatWasNeeded()
    {
        // proc(5): user, nice, system, idle, iowait, irq, softirq, steal, guest, guest_nice
        const auto from
            = capture::parseProcessorTimes("cpu  100 10 50 9000 7 1 2 40 5 0\ncpu0 100 10 50 9000 7 1 2 40 5 0\n");
        QVERIFY(from && from->used == 163 && from->stolen == 40);
        const auto to = capture::parseProcessorTimes("cpu  160 10 60 9900 9 2 7 64 50 0\n");
        QVERIFY(to && to->used == 239 && to->stolen == 64);
        QCOMPARE(capture::stolenShare(*from, *to), 0.24);
        QCOMPARE(capture::stolenShare(*from, *from), 0.0);
        QCOMPARE(capture::stolenShare(*to, *from), 0.0); // began anew
        for (const char *other :
            {"", "cpu", "cpu0 1 2 3 4 5 6 7 8\n", "cpu  1 2 3 4 5 6 7\n", "cpu  1 2 3 -4 5 6 7 8\n"})
            QVERIFY2(!capture::parseProcessorTimes(other), other);
        capture::StolenTime stolen;
        const double share = stolen.takeShare();
        QVERIFY(share >= 0 && share <= 1);
    }

    void smapsAddUpPerMapping()
    {
        const auto uses
            = parseSmaps("Rss: 99 kB\n" // before any mapping
                         "1000-2000 rw-p 00000000 00:00 0                          [heap]\n"
                         "Size:                  4 kB\nRss:                   8 kB\nPss:                   6 kB\n"
                         "Private_Clean:         1 kB\nPrivate_Dirty:         2 kB\nAnonymous:             4 kB\n"
                         "Private_Hugetlb:    2048 kB\nSwap:                  3 kB\nVmFlags: rd wr mr\n"
                         "3000-4000 r--p 00000000 00:00 0 \nRss: 16 kB\n");
        QCOMPARE(uses.size(), std::size_t{2});
        QCOMPARE(uses[0].residentBytes, std::int64_t{(8 + 2048) * 1024});
        QCOMPARE(uses[0].proportionalBytes, std::int64_t{6 * 1024});
        QCOMPARE(uses[0].privateBytes, std::int64_t{3 * 1024});
        QCOMPARE(uses[0].anonymousBytes, std::int64_t{4 * 1024});
        QCOMPARE(uses[0].swappedBytes, std::int64_t{3 * 1024});
        QCOMPARE(uses[1].residentBytes, std::int64_t{16 * 1024});
    }

    void statNameMayHoldParentheses()
    {
        const auto stat = parseStat(kStat);
        QVERIFY(stat.has_value());
        QCOMPARE(stat->pid, 4711);
        QCOMPARE(stat->name, std::string("a) b (c"));
        QCOMPARE(stat->state, 'S');
        QCOMPARE(stat->parentPid, 42);
        QCOMPARE(stat->minorFaults, std::int64_t{11});
        QCOMPARE(stat->majorFaults, std::int64_t{13});
        QCOMPARE(stat->userTicks, std::int64_t{15});
        QCOMPARE(stat->systemTicks, std::int64_t{16});
        QCOMPARE(stat->threads, std::int64_t{3});
        QCOMPARE(stat->startTicks, std::int64_t{2100});
        QCOMPARE(stat->virtualBytes, std::int64_t{4096000});
        QCOMPARE(stat->residentPages, std::int64_t{77});
        QCOMPARE(stat->startCode, std::int64_t{9});
        QCOMPARE(stat->startStack, std::int64_t{7});
        for (std::size_t size = 0; size + 8 < kStat.size(); ++size)
            QVERIFY(!parseStat(kStat.substr(0, size)));
    }

    void commandLinesAreQuotedForAShell()
    {
        using namespace std::string_view_literals;
        QCOMPARE(capture::quotedCommandLine("ls\0-l\0"sv), std::string("ls -l"));
        QCOMPARE(capture::quotedCommandLine("echo\0a b\0it's\0\0"sv), std::string("echo 'a b' 'it'\\''s' ''"));
        QCOMPARE(capture::quotedCommandLine("overwritten title"sv), std::string("'overwritten title'"));
        QCOMPARE(capture::quotedCommandLine("redis-server *:6379\0\0\0\0\0"sv), std::string("'redis-server *:6379'"));
        QCOMPARE(capture::quotedCommandLine("\0\0\0"sv), std::string("'' '' ''"));
        QCOMPARE(capture::quotedCommandLine(""sv), std::string());
        QVERIFY(capture::commandLineOf(::getpid()).find("proc_parsers_test") != std::string::npos);
        QCOMPARE(capture::commandLineOf(-1), std::string());
    }

    void mountPointOfTheSecondVersionIsFound()
    {
        QCOMPARE(capture::cgroupMountPoint("25 1 0:22 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
                                           "26 1 0:23 / /mnt/c\\040group rw,nosuid shared:9 - cgroup2 cgroup2 rw\n"),
            std::string("/mnt/c group"));
        QCOMPARE(capture::cgroupMountPoint("25 1 0:22 / / rw - ext4 /dev/vda rw\n"), std::string());
        QCOMPARE(capture::cgroupPath("9:memory:/a\n0::/b\n"), std::string("/b"));
        QCOMPARE(capture::cgroupPath("9:memory:/a\n"), std::string());
    }

    void memoryOfTheFirstVersionIsFound()
    {
        const auto mount
            = capture::oldMemoryMount("24 1 0:21 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n"
                                      "25 1 0:22 /box /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n");
        QCOMPARE(mount.root, std::string("/box"));
        QCOMPARE(mount.point, std::string("/sys/fs/cgroup/memory"));
        QVERIFY(capture::oldMemoryMount("26 1 0:23 / /c rw - cgroup2 cgroup2 rw,memory_recursiveprot\n").point.empty());
        QCOMPARE(capture::oldMemoryPath("8:cpu:/b\n9:hugetlb,memory:/a:b\n0::/c\n"), std::string("/a:b"));
        QCOMPARE(capture::oldMemoryPath("1:name=memory:/a\n0::/b\n"), std::string());
    }

    /// In a container the mount shows its own group, while /proc tells the whole path.
    void limitsOfTheFirstVersionAreThoseThatHold()
    {
        const tests::FakeProc proc;
        const std::string root = proc.cgroupRoot();
        proc.write("self/mountinfo", "25 1 0:22 /box " + root + " rw - cgroup cgroup rw,memory\n");
        proc.write("7/cgroup", "9:memory:/box/old\n0::/\n");
        proc.write("8/cgroup", "9:memory:/boxes\n0::/\n");
        proc.writeGroup("old/memory.usage_in_bytes", "700000\n");
        proc.writeGroup("old/memory.limit_in_bytes", "9223372036854771712\n");
        const capture::CgroupFinder finder(proc.root(), root);
        QCOMPARE(finder.oldMemoryDirectoryOf(7), std::optional(root + "/old"));
        QCOMPARE(finder.oldMemoryDirectoryOf(8), std::optional<std::string>());
        QVERIFY(!finder.directoryOf(7));
        capture::CgroupMemory memory = capture::readOldCgroupMemory(root + "/old");
        QCOMPARE(memory.currentBytes, std::optional<std::int64_t>(700'000));
        QCOMPARE(memory.limitBytes, std::optional<std::int64_t>());
        proc.writeGroup("old/memory.limit_in_bytes", "4000000\n");
        QCOMPARE(capture::readOldCgroupMemory(root + "/old").limitBytes, std::optional<std::int64_t>(4'000'000));
        proc.writeGroup("old/memory.stat", "cache 5\nhierarchical_memory_limit 3000000\ntotal_cache 5\n");
        QCOMPARE(capture::readOldCgroupMemory(root + "/old").limitBytes, std::optional<std::int64_t>(3'000'000));
    }

    void unlimitedIsNoNumber()
    {
        QVERIFY(!capture::cgroupLimitBytes("max\n"));
        QCOMPARE(capture::cgroupLimitBytes("1048576\n").value_or(0), std::int64_t{1048576});
        const capture::ProcessLimits none
            = capture::parseLimits("Max address space         unlimited            unlimited            bytes\n");
        QVERIFY(!none.addressSpaceBytes && !none.openFiles && !none.userThreads);
        const capture::ProcessLimits some
            = capture::parseLimits("Max processes             96000                96000                processes\n"
                                   "Max open files            1024                 524288               files\n"
                                   "Max address space         4096                 8192                 bytes\n");
        QCOMPARE(some.addressSpaceBytes.value_or(0), std::int64_t{4096});
        QCOMPARE(some.openFiles.value_or(0), std::int64_t{1024});
        QCOMPARE(some.userThreads.value_or(0), std::int64_t{96000});
        QVERIFY(!capture::pressureMilliPercent("full avg10=1.00\n"));
        QVERIFY(!capture::pressureMilliPercent("some avg10=nan\n"));
        QCOMPARE(capture::pressureMilliPercent("some avg10=12.34 avg60=0\n").value_or(0), std::int64_t{12'340});
    }

    void damagedTextIsReadWithoutHarm()
    {
        std::mt19937 random(4711);
        const std::string smaps = std::string(kMaps) + "Rss: 12 kB\nPss: 9999999999999999999 kB\n";
        for (int round = 0; round < 2000; ++round) {
            std::string maps = smaps;
            std::string stat(kStat);
            for (int change = 0; change < 8; ++change) {
                maps[random() % maps.size()] = static_cast<char>(random());
                stat[random() % stat.size()] = static_cast<char>(random());
            }
            for (const auto &mapping : parseMaps(maps))
                QVERIFY(mapping.begin < mapping.end);
            QVERIFY(parseSmaps(maps).size() <= 6);
            static_cast<void>(parseStat(stat));
            static_cast<void>(capture::parseStatus(maps));
            static_cast<void>(capture::quotedCommandLine(maps));
            static_cast<void>(capture::cgroupMountPoint(maps));
        }
    }

    void stackPointersOfTasks()
    {
        QCOMPARE(capture::stackPointerOf("0 0x3 0x7ffd 0x400 0x0 0x0 0x0 0x7ffd6fb8 0x7f4c7e92\n"),
            std::optional<std::uint64_t>(0x7ffd6fb8));
        QCOMPARE(capture::stackPointerOf("-1 0x7ffd6fb8 0x7f4c7e92\n"), std::optional<std::uint64_t>(0x7ffd6fb8));
        for (const char *nothing : {"running\n", "", " 0x1", "-1 0x0 0x0\n", "-1 0xzz 0x1\n"})
            QVERIFY2(!capture::stackPointerOf(nothing), nothing);
    }
};

QTEST_APPLESS_MAIN(ProcParsersTest)
#include "proc_parsers_test.moc"
