// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/proc/process_sampler.h"
#include "capture/proc/written_disk.h"

#include <QFile>
#include <QTemporaryDir>
#include <QTest>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <map>

using namespace capture;

namespace {

constexpr const char *kMounts = "22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw\n"
                                "23 22 8:2 / /data rw shared:1 - xfs /dev/sdb1 rw\n"
                                "24 22 0:40 / /data/mail\\040box rw - nfs4 server:/mail rw\n"
                                "25 22 0:5 / /dev rw - devtmpfs udev rw\n"
                                "broken line\n";

/// A made-up /proc with one process.
class Fixture
{
public:
    explicit Fixture(const char *mounts = kMounts)
    {
        QDir(m_folder.path()).mkpath(QStringLiteral("10"));
        QFile file(m_folder.filePath(QStringLiteral("10/mountinfo")));
        static_cast<void>(file.open(QIODevice::WriteOnly));
        file.write(mounts);
    }

    WrittenDisk disk()
    {
        return WrittenDisk(m_folder.path().toStdString(), [this](const std::string &path) -> std::optional<DiskUse> {
            const auto found = free.find(path);
            return found == free.end() ? std::nullopt : std::optional(DiskUse{{}, 1000 - found->second, found->second});
        });
    }
    std::string below(const char *path) const { return m_folder.path().toStdString() + "/10/root" + path; }

    std::map<std::string, std::int64_t> free; ///< available bytes by path

private:
    QTemporaryDir m_folder;
};

} // namespace

class WrittenDiskTest : public QObject
{
    Q_OBJECT

private Q_SLOTS:
    void aPathBelongsToItsLongestMount()
    {
        const std::vector<MountPoint> mounts = parseMounts(kMounts);
        QCOMPARE(mounts.size(), std::size_t(4));
        QCOMPARE(mountOf(mounts, "/data/log")->path, std::string("/data"));
        QCOMPARE(mountOf(mounts, "/data")->type, std::string("xfs"));
        QCOMPARE(mountOf(mounts, "/database/x")->path, std::string("/"));
        QCOMPARE(mountOf(mounts, "/data/mail box/1")->type, std::string("nfs4"));
        QVERIFY(!mountOf({}, "/x"));
    }

    void theFullestDiskThatIsWrittenToCounts()
    {
        Fixture f;
        f.free = {{f.below("/"), 500}, {f.below("/data"), 80}};
        WrittenDisk disk = f.disk();
        QVERIFY(!disk.use());
        disk.look(10, {"/var/log/a (deleted)"});
        QCOMPARE(disk.use()->mountPoint, std::string("/"));
        disk.look(10, {"/data/db"});
        QCOMPARE(disk.use()->mountPoint, std::string("/data"));
        QCOMPARE(disk.use()->availableBytes, std::int64_t(80));
        QCOMPARE(disk.use()->usedBytes, std::int64_t(920));
        disk.look(10, {}); // it has closed the file; the disk stays in view
        QCOMPARE(disk.use()->mountPoint, std::string("/data"));
        f.free.erase(f.below("/data")); // unmounted
        QCOMPARE(disk.use()->mountPoint, std::string("/"));
    }

    void whatMayHangIsNotAsked()
    {
        Fixture f;
        f.free = {{f.below("/data/mail box"), 1}, {f.below("/dev"), 1}};
        WrittenDisk disk = f.disk();
        disk.look(10, {"/data/mail box/1", "/dev/null"});
        QVERIFY(!disk.use());
        QVERIFY(!isLocalDisk("fuse.sshfs") && !isLocalDisk("cifs") && isLocalDisk("btrfs") && isLocalDisk("tmpfs"));
    }

    void findsWhatThisProcessWrites()
    {
        QTemporaryDir folder;
        const std::string written = folder.filePath(QStringLiteral("written")).toStdString();
        const std::string read = folder.filePath(QStringLiteral("read")).toStdString();
        const int out = ::open(written.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
        ::close(::open(read.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
        const int in = ::open(read.c_str(), O_RDONLY | O_CLOEXEC);
        const int memory = ::memfd_create("own", MFD_CLOEXEC);
        auto sampler = ProcessSampler::open("/proc", ::getpid(), false);
        const std::vector<std::string> paths = sampler->writtenFiles(10'000);
        const auto has
            = [&](const std::string &path) { return std::find(paths.begin(), paths.end(), path) != paths.end(); };
        QVERIFY(has(written));
        QVERIFY(!has(read));
        QVERIFY(std::none_of(paths.begin(), paths.end(), [](const auto &path) { return path.starts_with("/memfd"); }));
        QVERIFY(sampler->writtenFiles(0).empty());
        WrittenDisk disk("/proc");
        disk.look(::getpid(), {written});
        const auto use = disk.use();
        if (!use)
            QSKIP("The folder for temporary files is on a file system that is not asked");
        QVERIFY(written.starts_with(use->mountPoint));
        QVERIFY(use->usedBytes > 0 && use->availableBytes >= 0);
        for (const int fd : {out, in, memory})
            ::close(fd);
    }
};

QTEST_GUILESS_MAIN(WrittenDiskTest)
#include "written_disk_test.moc"
