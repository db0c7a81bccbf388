// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/perf/address_space.h"

#include "capture/symbols/build_id.h"
#include "capture/symbols/mapped_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <string>
#include <utility>

namespace capture {

void AddressSpace::add(const Mapping &mapping)
{
    if (mapping.end <= mapping.begin)
        return;
    std::vector<Mapping> kept;
    kept.reserve(m_mappings.size() + 2);
    for (const Mapping &old : m_mappings) {
        if (old.end <= mapping.begin || old.begin >= mapping.end) {
            kept.push_back(old);
            continue;
        }
        if (old.begin < mapping.begin)
            kept.push_back({old.begin, mapping.begin, old.fileOffset, old.file});
        if (old.end > mapping.end)
            kept.push_back({mapping.end, old.end, old.fileOffset + (mapping.end - old.begin), old.file});
    }
    const auto at = std::upper_bound(
        kept.begin(), kept.end(), mapping, [](const Mapping &a, const Mapping &b) { return a.begin < b.begin; });
    kept.insert(at, mapping);
    m_mappings = std::move(kept);
    m_last = 0;
}

void AddressSpace::clear()
{
    m_mappings.clear();
    m_last = 0;
}

const AddressSpace::Mapping *AddressSpace::find(std::uint64_t pc) const
{
    if (m_last < m_mappings.size() && pc >= m_mappings[m_last].begin && pc < m_mappings[m_last].end)
        return &m_mappings[m_last];
    const auto next = std::upper_bound(m_mappings.begin(), m_mappings.end(), pc,
        [](std::uint64_t address, const Mapping &candidate) { return address < candidate.begin; });
    if (next == m_mappings.begin() || pc >= std::prev(next)->end)
        return nullptr;
    m_last = static_cast<std::size_t>(std::prev(next) - m_mappings.begin());
    return &m_mappings[m_last];
}

namespace {

/// A line of /proc/PID/maps; false for what is none.
bool parse(const std::string &line, PerfMapping &mapping)
{
    unsigned long begin = 0, end = 0, offset = 0, inode = 0;
    unsigned major = 0, minor = 0;
    char rights[5] = {};
    int pathAt = 0;
    if (std::sscanf(line.c_str(), "%lx-%lx %4s %lx %x:%x %lu %n", &begin, &end, rights, &offset, &major, &minor, &inode,
            &pathAt)
        != 7)
        return false;
    mapping = {};
    mapping.begin = begin;
    mapping.bytes = end - begin;
    mapping.fileOffset = offset;
    mapping.major = major;
    mapping.minor = minor;
    mapping.inode = inode;
    mapping.isExecutable = rights[2] == 'x';
    mapping.path = withoutDeletedMark(line.substr(static_cast<std::size_t>(pathAt)));
    if (mapping.path.empty())
        mapping.path = "//anon";
    return true;
}

bool isSameFile(const PerfMapping &a, const PerfMapping &b)
{
    return a.inode == b.inode && a.major == b.major && a.minor == b.minor && a.path == b.path;
}

} // namespace

std::vector<PerfMapping> readCodeMappings(std::int32_t pid)
{
    std::vector<PerfMapping> mappings;
    std::ifstream file(fmt::format("/proc/{}/maps", pid));
    PerfMapping mapping;
    PerfMapping begin; // of the file that the following lines are of, with its build-id once that was read
    bool wasRead = false;
    for (std::string line; std::getline(file, line);) {
        if (!parse(line, mapping))
            continue;
        if (mapping.fileOffset == 0 && mapping.path.starts_with('/')) {
            begin = mapping;
            wasRead = false;
        }
        if (!mapping.isExecutable)
            continue;
        if (mapping.inode != 0 && isSameFile(mapping, begin)) {
            if (!std::exchange(wasRead, true))
                begin.buildId = loadedBuildId(pid, begin.begin, begin.begin + begin.bytes);
            mapping.buildId = begin.buildId;
        }
        mappings.push_back(mapping);
    }
    return mappings;
}

} // namespace capture
