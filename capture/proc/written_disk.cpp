// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/proc/written_disk.h"

#include "capture/proc/octal_escapes.h"
#include "capture/proc/proc_reader.h"

#include <sys/statvfs.h>

#include <algorithm>
#include <array>
#include <utility>

namespace capture {

namespace {

constexpr std::size_t kMostMounts = 4096;
constexpr std::size_t kMostSeen = 16;
constexpr int kMountPointField = 4; // proc(5), mountinfo: counted from 0

/// Takes the text up to the next `end` off the front.
std::string_view takeField(std::string_view &text, char end)
{
    const std::size_t at = std::min(text.find(end), text.size());
    const std::string_view field = text.substr(0, at);
    text.remove_prefix(std::min(at + 1, text.size()));
    return field;
}

std::int64_t bytesOf(std::uint64_t blocks, std::uint64_t blockBytes)
{
    constexpr auto most = static_cast<std::uint64_t>(INT64_MAX / 4);
    return blockBytes != 0 && blocks > most / blockBytes ? static_cast<std::int64_t>(most)
                                                         : static_cast<std::int64_t>(blocks * blockBytes);
}

} // namespace

std::vector<MountPoint> parseMounts(std::string_view mountInfo)
{
    constexpr std::string_view kSeparator = " - ";
    std::vector<MountPoint> mounts;
    while (!mountInfo.empty() && mounts.size() < kMostMounts) {
        std::string_view line = takeField(mountInfo, '\n');
        const std::size_t separator = line.find(kSeparator);
        if (separator == std::string_view::npos)
            continue;
        std::string_view rest = line.substr(separator + kSeparator.size());
        const std::string_view type = takeField(rest, ' ');
        for (int field = 0; field < kMountPointField; ++field)
            takeField(line, ' ');
        mounts.push_back({withoutOctalEscapes(takeField(line, ' ')), std::string(type)});
    }
    return mounts;
}

const MountPoint *mountOf(const std::vector<MountPoint> &mounts, std::string_view path)
{
    const MountPoint *found = nullptr;
    for (const MountPoint &mount : mounts) {
        const bool isBelow = mount.path == "/"
            || (path.starts_with(mount.path) && (path.size() == mount.path.size() || path[mount.path.size()] == '/'));
        if (isBelow && (!found || mount.path.size() >= found->path.size()))
            found = &mount;
    }
    return found;
}

bool isLocalDisk(std::string_view type)
{
    static constexpr std::array kOthers = std::to_array<std::string_view>({"nfs", "nfs4", "cifs", "smb3", "smbfs", "9p",
        "ceph", "afs", "glusterfs", "lustre", "autofs", "proc", "sysfs", "devtmpfs", "devpts", "cgroup", "cgroup2",
        "tracefs", "debugfs", "securityfs", "bpf", "mqueue", "binfmt_misc", "configfs", "pstore"});
    return !type.starts_with("fuse") && std::find(kOthers.begin(), kOthers.end(), type) == kOthers.end();
}

WrittenDisk::WrittenDisk(std::string procRoot, Statistics statistics)
    : m_procRoot(std::move(procRoot))
    , m_statistics(std::move(statistics))
{
}

WrittenDisk::Statistics WrittenDisk::systemStatistics()
{
    return [](const std::string &path) -> std::optional<DiskUse> {
        struct statvfs status = {};
        if (::statvfs(path.c_str(), &status) != 0 || status.f_blocks == 0)
            return std::nullopt;
        const std::uint64_t used = status.f_blocks - std::min(status.f_blocks, status.f_bfree);
        return DiskUse{{}, bytesOf(used, status.f_frsize), bytesOf(status.f_bavail, status.f_frsize)};
    };
}

void WrittenDisk::look(std::int32_t pid, const std::vector<std::string> &paths)
{
    if (paths.empty())
        return;
    const auto text = readProcFile(m_procRoot + '/' + std::to_string(pid) + "/mountinfo");
    const std::vector<MountPoint> mounts = text ? parseMounts(*text) : std::vector<MountPoint>();
    for (const std::string &path : paths) {
        const MountPoint *mount = mountOf(mounts, path);
        if (mount && isLocalDisk(mount->type) && (m_seen.contains(mount->path) || m_seen.size() < kMostSeen))
            m_seen[mount->path] = pid;
    }
}

std::optional<DiskUse> WrittenDisk::use()
{
    std::optional<DiskUse> least;
    for (auto it = m_seen.begin(); it != m_seen.end();) {
        // Below the process's own root: it may see other mounts than the recorder. Once it has ended, what the recorder sees there.
        auto use = m_statistics(m_procRoot + '/' + std::to_string(it->second) + "/root" + it->first);
        if (!use)
            use = m_statistics(it->first);
        if (!use) {
            it = m_seen.erase(it);
            continue;
        }
        use->mountPoint = it->first;
        if (!least || use->availableBytes < least->availableBytes)
            least = std::move(use);
        ++it;
    }
    return least;
}

} // namespace capture
