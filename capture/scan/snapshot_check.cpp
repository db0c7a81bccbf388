// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/scan/snapshot_check.h"

#include "capture/proc/cgroup.h"
#include "capture/proc/proc_reader.h"
#include "capture/proc/process_reading.h"
#include "capture/scan/scan_room.h"
#include "capture/target/process_facts.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>
#include <system_error>

namespace capture {

namespace {

constexpr std::size_t kMostFilesSeen = 16384;

/// Descriptors of such files: what they say of a process is true of its memory too.
struct Obstacle
{
    std::string_view name;
    const char *reason;
};
constexpr const char *kAsynchronous = "it may have asynchronous I/O under way";
constexpr std::array<Obstacle, 3> kFiles{Obstacle{"anon_inode:[io_uring]", kAsynchronous},
    Obstacle{"anon_inode:[userfaultfd]", "its page faults are handled by userfaultfd"},
    Obstacle{"anon_inode:kvm-vm", "it runs a virtual machine"}};
constexpr std::array<Obstacle, 3> kMappings{Obstacle{"/[aio]", kAsynchronous},
    Obstacle{"anon_inode:[io_uring]", kAsynchronous}, Obstacle{"/anon_hugepage", "it has huge pages of its own"}};

/// One that cannot be read is another one.
bool isOurPidNamespace(const std::string &path)
{
    std::error_code error;
    const std::filesystem::path name = std::filesystem::read_symlink(path, error);
    return !error && name == std::filesystem::read_symlink("/proc/self/ns/pid", error) && !error;
}

bool isInOtherPidNamespace(std::int32_t pid) { return !isOurPidNamespace(fmt::format("/proc/{}/ns/pid", pid)); }

bool isInStrictMode(std::int32_t pid)
{
    for (const std::int32_t tid :
        numberedEntries(fmt::format("/proc/{}/task", pid)).value_or(std::vector<std::int32_t>()))
        if (const auto text = readProcFile(fmt::format("/proc/{}/task/{}/status", pid, tid)))
            if (text->find("\nSeccomp:\t1") != std::string::npos)
                return true;
    return false;
}

const char *obstacleAmongFiles(std::int32_t pid)
{
    std::error_code error;
    std::size_t seen = 0;
    for (std::filesystem::directory_iterator at(fmt::format("/proc/{}/fd", pid), error), end; !error && at != end;
         at.increment(error)) {
        std::error_code ignored;
        const std::string name = std::filesystem::read_symlink(at->path(), ignored).string();
        for (const Obstacle &obstacle : kFiles)
            if (name == obstacle.name)
                return obstacle.reason;
        if (++seen == kMostFilesSeen)
            return "it has too many open files to look at";
    }
    return nullptr;
}

/// Bytes that the machine, and the process's control group, have left.
std::uint64_t roomFor(std::int32_t pid)
{
    std::uint64_t room = availableBytes();
    const CgroupFinder finder("/proc", "/sys/fs/cgroup");
    const auto directory = finder.directoryOf(pid);
    if (!directory)
        return room;
    const CgroupMemory group = readCgroupMemory(*directory, finder.mountPoint());
    if (group.limitBytes && group.currentBytes)
        room = std::min(
            room, static_cast<std::uint64_t>(std::max<std::int64_t>(*group.limitBytes - *group.currentBytes, 0)));
    return room;
}

std::optional<StatusReading> statusOf(const std::optional<std::string> &text)
{
    return text ? std::optional(parseStatus(*text)) : std::nullopt;
}

} // namespace

std::string whyNoSnapshotOf(const std::vector<MemoryMapping> &mappings)
{
    for (const MemoryMapping &mapping : mappings)
        for (const Obstacle &obstacle : kMappings)
            if (mapping.path.starts_with(obstacle.name))
                return obstacle.reason;
    return {};
}

std::string whyNoSnapshot(std::int32_t pid, const std::vector<MemoryMapping> &mappings)
{
    if (hasOwnFilter(pid) || isInStrictMode(pid))
        return "it has given up system calls (seccomp)";
    if (isInOtherPidNamespace(pid))
        return "it is in a container with process numbers of its own";
    if (std::string reason = whyNoSnapshotOf(mappings); !reason.empty())
        return reason;
    if (const char *reason = obstacleAmongFiles(pid))
        return reason;
    const auto text = readProcFile(fmt::format("/proc/{}/status", pid));
    const auto status = statusOf(text);
    if (!status || !status->anonymousBytes)
        return "its memory cannot be sized";
    if (roomFor(pid) < static_cast<std::uint64_t>(*status->anonymousBytes))
        return "there is not enough memory left to have it twice";
    std::int64_t hugeKiB = 0;
    bool hasShadowStack = false;
    forEachField(*text, [&](std::string_view name, std::string_view rest) {
        if (name == "HugetlbPages")
            hugeKiB = parseNumber(rest).value_or(0);
        else if (name == "x86_Thread_features")
            hasShadowStack = rest.find("shstk") != std::string_view::npos;
    });
    if (hasShadowStack)
        return "its stacks are guarded by shadow stacks";
    return hugeKiB > 0 ? "it has huge pages of its own" : std::string();
}

bool hasChildrenAmongUs(std::int32_t pid, std::int32_t tid)
{
    return isOurPidNamespace(fmt::format("/proc/{}/task/{}/ns/pid_for_children", pid, tid));
}

std::vector<KnownMemory::Range> notInSnapshot(
    const std::vector<KnownMemory::Range> &wanted, const std::vector<MemoryMapping> &snapshot)
{
    std::vector<KnownMemory::Range> missing;
    const auto add = [&](std::uint64_t begin, std::uint64_t end) {
        if (begin < end)
            missing.push_back({begin, end});
    };
    for (const KnownMemory::Range &range : wanted) {
        std::uint64_t at = range.begin;
        auto mapping = std::partition_point(
            snapshot.begin(), snapshot.end(), [&](const MemoryMapping &one) { return one.end <= range.begin; });
        for (; mapping != snapshot.end() && mapping->begin < range.end; ++mapping) {
            if (mapping->isShared)
                continue;
            add(at, std::min(mapping->begin, range.end));
            at = std::max(at, mapping->end);
        }
        add(at, range.end);
    }
    return missing;
}

std::vector<KnownMemory::Range> wipedRanges(std::string_view smaps)
{
    std::vector<KnownMemory::Range> ranges;
    KnownMemory::Range current;
    while (!smaps.empty()) {
        const std::size_t end = smaps.find('\n');
        const std::string_view line = smaps.substr(0, end);
        smaps = end == std::string_view::npos ? std::string_view() : smaps.substr(end + 1);
        if (line.starts_with("VmFlags:")) {
            if (line.find(" wf") != std::string_view::npos)
                ranges.push_back(current);
        } else if (const auto mapping = parseMapping(line)) {
            current = {mapping->begin, mapping->end};
        }
    }
    return ranges;
}

} // namespace capture
