// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace capture {

/// A mount of a process.
struct MountPoint
{
    std::string path;
    std::string type; ///< of the file system: "ext4"
};

/// The mounts in the text of a mountinfo file, in its order: a later one hides an earlier one of the same path.
std::vector<MountPoint> parseMounts(std::string_view mountInfo);

/// The mount that holds `path`: the longest that it lies below. Null if there is none.
const MountPoint *mountOf(const std::vector<MountPoint> &mounts, std::string_view path);

/// Whether asking the file system how full it is could wait for another machine or a process, or says nothing (it has no room of its own).
bool isLocalDisk(std::string_view type);

/// How full a file system is, by whomever. Bytes.
struct DiskUse
{
    std::string mountPoint;
    std::int64_t usedBytes = 0;
    std::int64_t availableBytes = 0; ///< to users that are not root
};

/// Finds which file systems the recorded processes write to, by the files that they have open, and says how full the one is that has
/// least left. A file system stays in view once it was written to; network and FUSE ones are left out, since asking them may
/// hang. Nothing is kept open, so nothing is kept from being unmounted. Capture thread only.
class WrittenDisk
{
public:
    /// Used and available bytes of what is mounted at a path; empty: it cannot be told.
    using Statistics = std::function<std::optional<DiskUse>(const std::string &path)>;

    explicit WrittenDisk(std::string procRoot, Statistics statistics = systemStatistics());

    /// Takes note of files that a process has open for writing.
    void look(std::int32_t pid, const std::vector<std::string> &paths);
    /// Asks the file systems that were seen; empty if there is none.
    std::optional<DiskUse> use();

    static Statistics systemStatistics();

private:
    std::string m_procRoot;
    Statistics m_statistics;
    std::map<std::string, std::int32_t> m_seen; ///< mount point → a process that sees it
};

} // namespace capture
