// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/proc/cgroup.h"

#include "capture/proc/octal_escapes.h"
#include "capture/proc/proc_reader.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace capture {

namespace {

constexpr int kRootField = 3, kMountPointField = 4;         // proc(5), mountinfo: counted from 0
constexpr std::int64_t kNoOldLimit = std::int64_t{1} << 60; ///< "none" is the greatest multiple of a page there

std::string_view nextLine(std::string_view &text)
{
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    return line;
}

/// Whether `list` ("rw,memory") has the word.
bool hasWord(std::string_view list, std::string_view word)
{
    while (!list.empty()) {
        const std::string_view each = list.substr(0, list.find(','));
        if (each == word)
            return true;
        list.remove_prefix(std::min(each.size() + 1, list.size()));
    }
    return false;
}

std::string fieldOf(std::string_view line, int number)
{
    for (int field = 0; field < number; ++field)
        line.remove_prefix(std::min(line.find(' ') + 1, line.size()));
    return withoutOctalEscapes(line.substr(0, line.find(' ')));
}

template <typename IsIt> CgroupMount mountOf(std::string_view mountInfo, const IsIt &isIt)
{
    while (!mountInfo.empty())
        if (const std::string_view line = nextLine(mountInfo); isIt(line))
            return {fieldOf(line, kRootField), fieldOf(line, kMountPointField)};
    return {};
}

} // namespace

CgroupFinder::CgroupFinder(std::string procRoot, const std::string &cgroupRoot)
    : m_procRoot(std::move(procRoot))
{
    const auto mounts = readProcFile(m_procRoot + "/self/mountinfo");
    if (mounts) {
        m_mountPoint = cgroupMountPoint(*mounts);
        m_oldMemory = oldMemoryMount(*mounts);
    } else if (readProcFile(cgroupRoot + "/cgroup.controllers")) {
        m_mountPoint = cgroupRoot;
    }
}

std::optional<std::string> CgroupFinder::oldMemoryDirectoryOf(std::int32_t pid) const
{
    const auto text
        = m_oldMemory.point.empty() ? std::nullopt : readProcFile(m_procRoot + '/' + std::to_string(pid) + "/cgroup");
    std::string path = text ? oldMemoryPath(*text) : std::string();
    if (path.empty() || path.starts_with("/.."))
        return std::nullopt;
    if (const std::string &root = m_oldMemory.root; root != "/") {
        if (!path.starts_with(root) || (path.size() > root.size() && path[root.size()] != '/'))
            return std::nullopt;
        path.erase(0, root.size());
    }
    return path == "/" ? m_oldMemory.point : m_oldMemory.point + path;
}

std::optional<std::string> CgroupFinder::directoryOf(std::int32_t pid) const
{
    if (!isMounted())
        return std::nullopt;
    const auto text = readProcFile(m_procRoot + '/' + std::to_string(pid) + "/cgroup");
    if (!text)
        return std::nullopt;
    const std::string path = cgroupPath(*text);
    // "/.." leads out of what this namespace shows, and " (deleted)" is no directory any more.
    if (path.empty() || path.starts_with("/.."))
        return std::nullopt;
    return path == "/" ? m_mountPoint : m_mountPoint + path;
}

CgroupMemory readCgroupMemory(const std::string &directory, const std::string &mountPoint)
{
    CgroupMemory memory;
    if (const auto text = readProcFile(directory + "/memory.current"))
        memory.currentBytes = parseNumber(*text);
    if (const auto text = readProcFile(directory + "/memory.pressure"))
        memory.pressureMilliPercent = pressureMilliPercent(*text);
    for (std::string group = directory; group.size() > mountPoint.size(); group.resize(group.rfind('/'))) {
        const auto text = readProcFile(group + "/memory.max");
        const auto limit = text ? cgroupLimitBytes(*text) : std::nullopt;
        if (limit && (!memory.limitBytes || *limit < *memory.limitBytes))
            memory.limitBytes = limit;
    }
    return memory;
}

CgroupMemory readOldCgroupMemory(const std::string &directory)
{
    CgroupMemory memory;
    if (const auto text = readProcFile(directory + "/memory.usage_in_bytes"))
        memory.currentBytes = parseNumber(*text);
    constexpr std::string_view kEffective = "hierarchical_memory_limit ";
    if (const auto text = readProcFile(directory + "/memory.stat"))
        for (std::string_view rest = *text; !rest.empty();)
            if (const std::string_view line = nextLine(rest); line.starts_with(kEffective))
                memory.limitBytes = parseNumber(line.substr(kEffective.size()));
    if (!memory.limitBytes)
        if (const auto text = readProcFile(directory + "/memory.limit_in_bytes"))
            memory.limitBytes = parseNumber(*text);
    if (memory.limitBytes && (*memory.limitBytes < 0 || *memory.limitBytes >= kNoOldLimit))
        memory.limitBytes.reset();
    return memory;
}

std::optional<std::int64_t> threadsLeft(const std::string &directory, const std::string &mountPoint)
{
    std::optional<std::int64_t> left;
    for (std::string group = directory; group.size() > mountPoint.size(); group.resize(group.rfind('/'))) {
        const auto most = readProcFile(group + "/pids.max"), current = readProcFile(group + "/pids.current");
        const auto limit = most ? cgroupLimitBytes(*most) : std::nullopt; // "max" here too
        const auto used = current ? parseNumber(*current) : std::nullopt;
        if (limit && used)
            left = std::min(left.value_or(INT64_MAX), std::max<std::int64_t>(*limit - *used, 0));
    }
    return left;
}

std::string cgroupMountPoint(std::string_view mountInfo)
{
    return mountOf(mountInfo, [](std::string_view line) {
        return line.find(" - cgroup2 ") != std::string_view::npos;
    }).point;
}

CgroupMount oldMemoryMount(std::string_view mountInfo)
{
    return mountOf(mountInfo, [](std::string_view line) {
        const std::size_t type = line.find(" - cgroup ");
        return type != std::string_view::npos && hasWord(line.substr(line.rfind(' ') + 1), "memory");
    });
}

std::string oldMemoryPath(std::string_view procCgroup)
{
    while (!procCgroup.empty()) {
        const std::string_view line = nextLine(procCgroup);
        const std::size_t first = line.find(':');
        const std::size_t second = first == std::string_view::npos ? first : line.find(':', first + 1);
        if (second != std::string_view::npos && hasWord(line.substr(first + 1, second - first - 1), "memory"))
            return std::string(line.substr(second + 1));
    }
    return {};
}

std::string cgroupPath(std::string_view procCgroup)
{
    while (!procCgroup.empty()) {
        const std::string_view line = procCgroup.substr(0, procCgroup.find('\n'));
        procCgroup.remove_prefix(std::min(line.size() + 1, procCgroup.size()));
        if (line.starts_with("0::"))
            return std::string(line.substr(3));
    }
    return {};
}

std::optional<std::int64_t> pressureMilliPercent(std::string_view pressure)
{
    constexpr std::string_view prefix = "some avg10=";
    if (!pressure.starts_with(prefix))
        return std::nullopt;
    double percent = 0;
    const auto [end, error]
        = std::from_chars(pressure.data() + prefix.size(), pressure.data() + pressure.size(), percent);
    if (error != std::errc() || !(percent >= 0 && percent <= 1e9))
        return std::nullopt;
    return std::llround(percent * 1000);
}

std::optional<std::int64_t> cgroupLimitBytes(std::string_view memoryMax)
{
    const auto limit = parseNumber(memoryMax); // "max" is no number
    return limit && *limit >= 0 ? limit : std::nullopt;
}

} // namespace capture
