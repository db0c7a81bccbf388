// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/network_file_system.h"

#include <QTest>

#include <sys/sysmacros.h>

class NetworkFileSystemTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void knowsTheTypesThatMachinesShare()
    {
        // Lines as proc(5) has them: with optional fields, without, and of programs.
        constexpr std::string_view kMounts
            = "36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 shared:2 - ext4 /dev/root rw,errors=continue\n"
              "37 35 0:43 / /net rw,relatime - nfs4 server:/export rw,vers=4.2\n"
              "38 35 0:44 / /win rw shared:3 - cifs //server/share rw\n"
              "39 35 0:45 / /ssh rw,nosuid - fuse.sshfs user@host: rw\n"
              "40 35 0:46 / /usb rw,nosuid - fuseblk /dev/sdb1 rw\n"
              "broken line\n";
        const auto typeOf = [&](unsigned major, unsigned minor) {
            return storage::networkFileSystemIn(kMounts, makedev(major, minor));
        };
        QCOMPARE(typeOf(98, 0), std::string());
        QCOMPARE(typeOf(0, 43), std::string("nfs4"));
        QCOMPARE(typeOf(0, 44), std::string("cifs"));
        QCOMPARE(typeOf(0, 45), std::string("fuse.sshfs"));
        QCOMPARE(typeOf(0, 46), std::string());
        QCOMPARE(typeOf(7, 7), std::string());
    }

    void takesTheFileOrItsFolder()
    {
        QCOMPARE(storage::networkFileSystemOf("/proc/self/status"), std::string());
        QCOMPARE(storage::networkFileSystemOf("/proc/self/not there"), std::string());
        QCOMPARE(storage::networkFileSystemOf("/not there/at all"), std::string());
    }
};

QTEST_APPLESS_MAIN(NetworkFileSystemTest)
#include "network_file_system_test.moc"
