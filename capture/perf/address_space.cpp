// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/perf/address_space.h"

#include "capture/proc/maps_path.h"
#include "capture/symbols/build_id.h"
#include "capture/symbols/mapped_file.h"

#include <fmt/format.h>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>

namespace capture {

void AddressSpace::add(const Mapping &mapping)
{
    if (mapping.end <= mapping.begin)
        return;
    m_last.mapping = nullptr;
    auto at = m_mappings.upper_bound(mapping.begin);
    if (at != m_mappings.begin() && std::prev(at)->second.end > mapping.begin)
        --at;
    while (at != m_mappings.end() && at->first < mapping.end) {
        const Mapping old = at->second;
        at = m_mappings.erase(at);
        if (old.begin < mapping.begin) {
            Mapping left = old;
            left.end = mapping.begin;
            m_mappings.emplace_hint(at, left.begin, left);
        }
        if (old.end > mapping.end) {
            Mapping right = old;
            right.begin = mapping.end;
            right.fileOffset += mapping.end - old.begin;
            at = m_mappings.emplace_hint(at, right.begin, right);
        }
    }
    m_mappings.emplace_hint(at, mapping.begin, mapping);
}

void AddressSpace::clear()
{
    m_mappings.clear();
    m_last.mapping = nullptr;
}

const AddressSpace::Mapping *AddressSpace::find(std::uint64_t pc) const
{
    if (const Mapping *last = m_last.mapping; last && pc >= last->begin && pc < last->end)
        return last;
    const auto next = m_mappings.upper_bound(pc);
    if (next == m_mappings.begin() || pc >= std::prev(next)->second.end)
        return nullptr;
    m_last.mapping = &std::prev(next)->second;
    return m_last.mapping;
}

void AddressSpace::markGone(const std::vector<PerfMapping> &mapped)
{
    auto there = mapped.begin();
    for (auto &[begin, mapping] : m_mappings) {
        while (there != mapped.end() && there->begin + there->bytes <= begin)
            ++there;
        mapping.isGone = there == mapped.end() || there->begin >= mapping.end;
    }
}

void AddressSpace::dropGone()
{
    m_last.mapping = nullptr;
    std::erase_if(m_mappings, [](const auto &entry) { return entry.second.isGone; });
}

namespace {

/// A line of /proc/PID/maps of a process with this root; false for what is none.
bool parse(const std::string &line, const std::string &root, PerfMapping &mapping)
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
    mapping.path
        = withoutDeletedMark(mappedPath(line.substr(static_cast<std::size_t>(pathAt)), {major, minor, inode}, root));
    if (mapping.path.empty())
        mapping.path = "//anon";
    return true;
}

bool isSameFile(const PerfMapping &a, const PerfMapping &b)
{
    return a.inode == b.inode && a.major == b.major && a.minor == b.minor && a.path == b.path;
}

} // namespace

std::vector<PerfMapping> readCodeMappings(std::int32_t pid, BuildIds buildIds)
{
    std::vector<PerfMapping> mappings;
    const std::string process = fmt::format("/proc/{}", pid);
    std::ifstream file(process + "/maps");
    PerfMapping mapping;
    PerfMapping begin; // of the file that the following lines are of, with its build-id once that was read
    bool wasRead = false;
    for (std::string line; std::getline(file, line);) {
        if (!parse(line, process + "/root", mapping))
            continue;
        if (mapping.fileOffset == 0 && mapping.path.starts_with('/')) {
            begin = mapping;
            wasRead = false;
        }
        if (!mapping.isExecutable)
            continue;
        if (mapping.inode != 0 && isSameFile(mapping, begin)) {
            if (buildIds == BuildIds::Read && !std::exchange(wasRead, true))
                begin.buildId = loadedBuildId(pid, begin.begin, begin.begin + begin.bytes);
            mapping.buildId = begin.buildId;
        }
        mappings.push_back(mapping);
    }
    return mappings;
}

} // namespace capture
