// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace capture {

/// Where a hierarchy of version 1 is mounted.
struct CgroupMount
{
    std::string root;  ///< the group that the mount point shows; in containers often their own
    std::string point; ///< empty: not mounted
};

/// Finds the control group (version 2) of processes, and that of version 1 which accounts for their memory where version 2 does not.
class CgroupFinder
{
public:
    /// `cgroupRoot` is where cgroups are usually mounted; the true mount point is read from /proc/self/mountinfo below `procRoot`,
    /// as hybrid systems have it elsewhere (/sys/fs/cgroup/unified).
    CgroupFinder(std::string procRoot, const std::string &cgroupRoot);

    /// The directory of the process's group; empty if cgroup v2 is not mounted, or the process is gone.
    std::optional<std::string> directoryOf(std::int32_t pid) const;

    /// The directory of the process's group of version 1 that accounts for memory; empty likewise.
    std::optional<std::string> oldMemoryDirectoryOf(std::int32_t pid) const;

    bool isMounted() const { return !m_mountPoint.empty(); }
    const std::string &mountPoint() const { return m_mountPoint; }

private:
    std::string m_procRoot;
    std::string m_mountPoint;
    CgroupMount m_oldMemory;
};

/// What a group says about memory. Absent where the controller is off, or nothing is limited.
struct CgroupMemory
{
    std::optional<std::int64_t> limitBytes; ///< the least of the group and its ancestors, which all hold
    std::optional<std::int64_t> currentBytes;
    std::optional<std::int64_t> pressureMilliPercent; ///< share of the last 10 s in which some task waited for memory
};

/// Reads a group's memory files, and its ancestors' limits up to the mount point.
CgroupMemory readCgroupMemory(const std::string &directory, const std::string &mountPoint);

/// The same of a group of version 1, which tells no pressure. The kernel says which limits of its ancestors hold: not all do there.
CgroupMemory readOldCgroupMemory(const std::string &directory);

/// How many more threads the group may have: the least that it and its ancestors leave. Empty: no limit.
std::optional<std::int64_t> threadsLeft(const std::string &directory, const std::string &mountPoint);

/// The mount point of cgroup2 in the text of a mountinfo file; empty if there is none.
std::string cgroupMountPoint(std::string_view mountInfo);

/// The mount of the memory controller of version 1 in the same text.
CgroupMount oldMemoryMount(std::string_view mountInfo);

/// The path of the group of version 1 that accounts for memory ("9:memory:/path") in the text of /proc/PID/cgroup; empty if there is none.
std::string oldMemoryPath(std::string_view procCgroup);

/// The path of the version 2 group ("0::/path") in the text of /proc/PID/cgroup; empty if there is none.
std::string cgroupPath(std::string_view procCgroup);

/// "some avg10" of a pressure file in thousandths of a percent.
std::optional<std::int64_t> pressureMilliPercent(std::string_view pressure);

/// memory.max as bytes; empty for "max" (no limit).
std::optional<std::int64_t> cgroupLimitBytes(std::string_view memoryMax);

} // namespace capture
