// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/target/link_map_watch.h"

#include "capture/proc/proc_reader.h"

#include <elf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <link.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

namespace capture {

namespace {

constexpr unsigned kLooksBetweenWalks = 20;
constexpr std::size_t kMostModules = 65536;
constexpr std::size_t kMostHeaders = 64;
constexpr std::size_t kMostDynamic = 256;

} // namespace

LinkMapWatch::LinkMapWatch(std::int32_t pid)
    : m_pid(pid)
    , m_memory(::open(fmt::format("/proc/{}/mem", pid).c_str(), O_RDONLY | O_CLOEXEC))
    , m_debug(findList())
    , m_modules(readList())
{
}

bool LinkMapWatch::read(std::uint64_t address, void *bytes, std::size_t count) const
{
    return ::pread(m_memory.get(), bytes, count, static_cast<off_t>(address)) == static_cast<ssize_t>(count);
}

std::uint64_t LinkMapWatch::findList() const
{
    std::uint64_t headersAt = 0, count = 0;
    const auto auxv = readProcFile(fmt::format("/proc/{}/auxv", m_pid));
    for (std::size_t at = 0; auxv && at + sizeof(Elf64_auxv_t) <= auxv->size(); at += sizeof(Elf64_auxv_t)) {
        Elf64_auxv_t entry;
        std::memcpy(&entry, auxv->data() + at, sizeof entry);
        if (entry.a_type == AT_PHDR)
            headersAt = entry.a_un.a_val;
        else if (entry.a_type == AT_PHNUM)
            count = entry.a_un.a_val;
    }
    std::uint64_t bias = 0, dynamic = 0;
    for (std::uint64_t i = 0; i < std::min<std::uint64_t>(count, kMostHeaders); ++i) {
        Elf64_Phdr header;
        if (!read(headersAt + i * sizeof header, &header, sizeof header))
            return 0;
        if (header.p_type == PT_PHDR)
            bias = headersAt - header.p_vaddr;
        else if (header.p_type == PT_DYNAMIC)
            dynamic = header.p_vaddr;
    }
    Elf64_Dyn entry{};
    for (std::size_t i = 0; dynamic != 0 && i < kMostDynamic; ++i) {
        if (!read(bias + dynamic + i * sizeof entry, &entry, sizeof entry) || entry.d_tag == DT_NULL)
            return 0;
        if (entry.d_tag == DT_DEBUG)
            return entry.d_un.d_ptr;
    }
    return 0;
}

std::vector<LinkMapWatch::Module> LinkMapWatch::readList() const
{
    std::vector<Module> modules;
    r_debug debug;
    if (m_debug == 0 || !read(m_debug, &debug, sizeof debug))
        return modules;
    auto at = reinterpret_cast<std::uint64_t>(debug.r_map);
    link_map entry;
    while (at != 0 && modules.size() < kMostModules && read(at, &entry, sizeof entry)) {
        modules.push_back({at, entry.l_addr});
        at = reinterpret_cast<std::uint64_t>(entry.l_next);
    }
    return modules;
}

bool LinkMapWatch::hasChanged()
{
    if (m_modules.empty())
        return false;
    link_map last;
    const bool isLast = read(m_modules.back().entry, &last, sizeof last) && last.l_next == nullptr;
    if (isLast && ++m_looks % kLooksBetweenWalks != 0)
        return false;
    std::vector<Module> now = readList();
    if (now.empty() || now == m_modules)
        return false;
    m_modules = std::move(now);
    return true;
}

} // namespace capture
