// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/scan/snapshot_check.h"

#include <QtTest>

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
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
        if (const std::string other = whyNoSnapshot(pid, {}); !other.empty())
            QSKIP(other.c_str());
        const long fd = ::syscall(SYS_userfaultfd, O_CLOEXEC);
        if (fd < 0)
            QSKIP("userfaultfd is not allowed here");
        const std::string reason = whyNoSnapshot(pid, {});
        ::close(static_cast<int>(fd));
        QVERIFY2(reason.find("userfaultfd") != std::string::npos, reason.c_str());
    }

    void nextChildMayBeInAnotherNamespace()
    {
        QVERIFY(hasChildrenAmongUs(::getpid(), ::gettid()));
        QVERIFY(!hasChildrenAmongUs(::getpid(), 0));
        int ready[2];
        QCOMPARE(::pipe(ready), 0);
        const pid_t launcher = ::fork();
        if (launcher == 0) {
            const char isDone = ::unshare(CLONE_NEWPID) == 0 ? 1 : 0;
            if (::write(ready[1], &isDone, 1) == 1)
                ::pause();
            ::_exit(0);
        }
        char isDone = 0;
        QCOMPARE(::read(ready[0], &isDone, 1), 1);
        const bool isAmongUs = hasChildrenAmongUs(launcher, launcher);
        const std::string reason = whyNoSnapshot(launcher, {});
        ::kill(launcher, SIGKILL);
        ::waitpid(launcher, nullptr, 0);
        ::close(ready[0]);
        ::close(ready[1]);
        if (isDone == 0)
            QSKIP("PID namespaces cannot be made here");
        QVERIFY(!isAmongUs);
        QVERIFY2(reason.find("process numbers") == std::string::npos, reason.c_str()); // its own is ours
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
