// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/perf/tracepoint.h"

#include <QTest>

#include <sched.h>
#include <sys/mount.h>

/// Numbers of tracepoints, whether tracefs is mounted or not.
class TracepointTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void areThereThoughTracefsIsNotMounted()
    {
        if (::unshare(CLONE_NEWNS) != 0 || ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
            QSKIP("a mount namespace of our own is not allowed (it takes CAP_SYS_ADMIN)");
        const auto before = capture::tracepointId("raw_syscalls/sys_enter");
        for (const char *folder : {"/sys/kernel/tracing", "/sys/kernel/debug/tracing"})
            while (::umount2(folder, MNT_DETACH) == 0) { }
        const auto after = capture::tracepointId("raw_syscalls/sys_enter");
        QVERIFY(after && *after > 0);
        QVERIFY(!before || before == after);
        QVERIFY(capture::tracepointId("raw_syscalls/sys_exit") != after);
        QVERIFY(!capture::tracepointId("raw_syscalls/nothing"));
    }
};

QTEST_GUILESS_MAIN(TracepointTest)
#include "tracepoint_test.moc"
