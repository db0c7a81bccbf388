// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/scan/snapshot_check.h"

#include <QtTest>

#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

using namespace capture;

namespace {

std::vector<MemoryMapping> maps(const char *text) { return parseMaps(text); }

std::string text(const std::vector<KnownMemory::Range> &ranges)
{
    std::string result;
    for (const KnownMemory::Range &range : ranges)
        result += QString::asprintf("%lx-%lx ", range.begin, range.end).toStdString();
    return result;
}

} // namespace

/// When a process may be copied by fork, and what the copy has not got.
class SnapshotCheckTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void plainMappingsMayBeForked()
    {
        QCOMPARE(whyNoSnapshotOf(maps("10000-20000 rw-p 00000000 00:00 0\n"
                                      "20000-30000 rw-s 00000000 00:01 5 /dev/zero (deleted)\n")),
            std::string());
    }

    void devicesThatWriteIntoMemoryForbidIt_data()
    {
        QTest::addColumn<QByteArray>("mapping");
        QTest::addColumn<QByteArray>("word");
        QTest::newRow("io_setup") << QByteArray("10000-20000 rw-s 00000000 00:0e 7 /[aio] (deleted)\n")
                                  << QByteArray("asynchronous");
        QTest::newRow("io_uring") << QByteArray("10000-20000 rw-s 00000000 00:0e 7 anon_inode:[io_uring]\n")
                                  << QByteArray("asynchronous");
        QTest::newRow("hugetlbfs") << QByteArray("10000-20000 rw-p 00000000 00:0f 7 /anon_hugepage (deleted)\n")
                                   << QByteArray("huge pages");
    }
    void devicesThatWriteIntoMemoryForbidIt()
    {
        QFETCH(QByteArray, mapping);
        QFETCH(QByteArray, word);
        const std::string reason = whyNoSnapshotOf(maps(mapping.constData()));
        QVERIFY2(QByteArray::fromStdString(reason).contains(word), reason.c_str());
    }

    void openUserfaultfdForbidsIt()
    {
        const std::int32_t pid = ::getpid();
        QCOMPARE(whyNoSnapshot(pid, {}), std::string());
        const long fd = ::syscall(SYS_userfaultfd, O_CLOEXEC);
        if (fd < 0)
            QSKIP("userfaultfd is not allowed here");
        const std::string reason = whyNoSnapshot(pid, {});
        ::close(static_cast<int>(fd));
        QVERIFY2(reason.find("userfaultfd") != std::string::npos, reason.c_str());
    }

    void leftOutAndSharedMemoryIsNotInACopy()
    {
        const auto copy = maps("10000-20000 rw-p 00000000 00:00 0\n"
                               "30000-40000 rw-s 00000000 00:01 5 /dev/zero (deleted)\n"
                               "40000-50000 rw-p 00000000 00:00 0\n"
                               "58000-60000 rw-p 00000000 00:00 0\n");
        QCOMPARE(text(notInSnapshot({{0x10000, 0x20000}}, copy)), std::string());
        QCOMPARE(text(notInSnapshot({{0x18000, 0x28000}, {0x30000, 0x40000}}, copy)),
            std::string("20000-28000 30000-40000 "));
        QCOMPARE(text(notInSnapshot({{0x40000, 0x60000}, {0x60000, 0x61000}}, copy)),
            std::string("50000-58000 60000-61000 "));
        QCOMPARE(text(notInSnapshot({{0x38000, 0x48000}}, {})), std::string("38000-48000 "));
    }

    void wipedMemoryIsKnownByItsFlags()
    {
        QCOMPARE(
            text(wipedRanges("10000-20000 rw-p 00000000 00:00 0 \nSize: 64 kB\nVmFlags: rd wr mr mw me ac sd \n"
                             "20000-21000 rw-p 00000000 00:00 0 \nSize: 4 kB\nVmFlags: rd wr mr mw me wf ac sd \n")),
            std::string("20000-21000 "));
    }
};

QTEST_APPLESS_MAIN(SnapshotCheckTest)
#include "snapshot_check_test.moc"
