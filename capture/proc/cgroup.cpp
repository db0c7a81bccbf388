// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/proc/cgroup.h"

#include "capture/proc/octal_escapes.h"
#include "capture/proc/proc_reader.h"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace capture {

namespace {

constexpr int kMountPointField = 4; // proc(5), mountinfo: counted from 0

} // namespace

CgroupFinder::CgroupFinder(std::string procRoot, const std::string &cgroupRoot)
    : m_procRoot(std::move(procRoot))
{
    if (const auto mounts = readProcFile(m_procRoot + "/self/mountinfo"))
        m_mountPoint = cgroupMountPoint(*mounts);
    else if (readProcFile(cgroupRoot + "/cgroup.controllers"))
        m_mountPoint = cgroupRoot;
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
    while (!mountInfo.empty()) {
        const std::string_view line = mountInfo.substr(0, mountInfo.find('\n'));
        mountInfo.remove_prefix(std::min(line.size() + 1, mountInfo.size()));
        if (line.find(" - cgroup2 ") == std::string_view::npos)
            continue;
        std::string_view rest = line;
        for (int field = 0; field < kMountPointField; ++field)
            rest.remove_prefix(std::min(rest.find(' ') + 1, rest.size()));
        return withoutOctalEscapes(rest.substr(0, rest.find(' ')));
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
