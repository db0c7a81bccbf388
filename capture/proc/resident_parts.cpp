// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/proc/resident_parts.h"

#include "capture/wire/layout.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace capture {

namespace {

using Part = std::int64_t model::MemoryPartsRow::*;
using Parts = model::MemoryPartsRow;

constexpr std::uint64_t kPageBytes = 4096;
constexpr std::uint64_t kArenaBytes = std::uint64_t{64} << 20; ///< glibc's HEAP_MAX_SIZE, also its alignment
constexpr std::uint64_t kMostStackBytes = std::uint64_t{256} << 20;
constexpr std::uint64_t kLeastStackBytes = 16 * 1024; ///< PTHREAD_STACK_MIN
constexpr std::uint64_t kMostGuardBytes = 64 * 1024;

bool isAnonymous(const MemoryMapping &mapping) { return mapping.path.empty() || mapping.path.starts_with("[anon"); }

bool isNoAccess(const MemoryMapping &mapping)
{
    return !mapping.isReadable && !mapping.isWritable && !mapping.isExecutable && isAnonymous(mapping);
}

bool isTracers(const MemoryMapping &mapping)
{
    const std::string_view path = mapping.path;
    return path == "[anon:genesis-tracer]" || path.starts_with(wire::kMemoryPath)
        || path.ends_with("/libgenesis_heaptracer.so");
}

bool isSharedMemory(const MemoryMapping &mapping)
{
    const std::string_view path = mapping.path;
    return path.starts_with("/memfd:") || path.starts_with("/SYSV") || path.starts_with("/dev/zero")
        || path.starts_with("/dev/shm/") || path.starts_with("/anon_hugepage") || path.starts_with("/dmabuf")
        || (isAnonymous(mapping) && mapping.isShared);
}

/// Sorts the mappings of one process.
class Sorter
{
public:
    Sorter(const std::vector<MappingUse> &uses, const KnownMemory &known, const ResidentBytes &resident)
        : m_uses(uses)
        , m_known(known)
        , m_resident(resident)
    {
        std::sort(m_known.stackTops.begin(), m_known.stackTops.end());
    }

    Parts sort()
    {
        for (std::size_t i = 0; i < m_uses.size(); ++i)
            add(i);
        m_parts.isMeasured = true;
        return m_parts;
    }

private:
    void add(std::size_t i)
    {
        const MappingUse &use = m_uses[i];
        if (use.residentBytes == 0)
            return;
        const MemoryMapping &mapping = use.mapping;
        if (isTracers(mapping))
            m_parts.tracer += use.residentBytes;
        else if (isSharedMemory(mapping))
            m_parts.shared += use.residentBytes;
        else if (mapping.path == "[heap]")
            m_parts.heap += use.residentBytes;
        else if (mapping.path.starts_with("[stack"))
            m_parts.stacks += use.residentBytes;
        else if (mapping.isFile())
            m_parts.files += use.residentBytes;
        else if (isAnonymous(mapping))
            addAnonymous(i);
        else
            m_parts.unknown += use.residentBytes;
    }

    /// Of a range that the kernel may have joined from several.
    void addAnonymous(std::size_t i)
    {
        const MappingUse &use = m_uses[i];
        std::int64_t left = use.residentBytes;
        left -= take(use, m_known.tracerRanges, left, m_parts.tracer);
        left -= take(use, m_known.mappings, left, m_parts.mappings);
        if (left > 0)
            m_parts.*restOf(i) += left;
    }

    Part restOf(std::size_t i) const
    {
        if (isStack(i))
            return &Parts::stacks;
        if (isModuleData(i))
            return &Parts::files;
        return m_known.isWhole || isArena(i) ? &Parts::heap : &Parts::unknown;
    }

    /// Adds what of `use` lies in `ranges` to `part`; returns it.
    std::int64_t take(const MappingUse &use, const std::vector<KnownMemory::Range> &ranges, std::int64_t most,
        std::int64_t &part) const
    {
        std::int64_t taken = 0;
        const std::uint64_t begin = use.mapping.begin, end = use.mapping.end;
        auto range = std::partition_point(
            ranges.begin(), ranges.end(), [begin](const KnownMemory::Range &r) { return r.end <= begin; });
        for (; range != ranges.end() && range->begin < end; ++range) {
            const std::uint64_t first = std::max(begin, range->begin), last = std::min(end, range->end);
            if (first == begin && last == end)
                taken = use.residentBytes;
            else
                taken += residentIn(use, first, last);
        }
        taken = std::min(taken, most);
        part += taken;
        return taken;
    }

    std::int64_t residentIn(const MappingUse &use, std::uint64_t begin, std::uint64_t end) const
    {
        if (const auto bytes = m_resident ? m_resident(begin, end) : std::nullopt)
            return *bytes;
        const double share
            = static_cast<double>(end - begin) / static_cast<double>(use.mapping.end - use.mapping.begin);
        return static_cast<std::int64_t>(static_cast<double>(use.residentBytes) * share);
    }

    bool isStack(std::size_t i) const
    {
        const MemoryMapping &mapping = m_uses[i].mapping;
        const auto top = std::lower_bound(m_known.stackTops.begin(), m_known.stackTops.end(), mapping.begin);
        if (top != m_known.stackTops.end() && *top < mapping.end)
            return true;
        // As glibc makes them: a guard, and behind it memory that can be read and written. An arena's unused part lies above it, not below. Allocators
        // make such, too (PartitionAlloc in front of each slot span): it is no more than a guess.
        if (!m_known.stackTops.empty() || i == 0 || !mapping.isReadable || !mapping.isWritable)
            return false;
        const MemoryMapping &below = m_uses[i - 1].mapping;
        const std::uint64_t bytes = mapping.end - mapping.begin;
        return isNoAccess(below) && below.end == mapping.begin && below.end - below.begin <= kMostGuardBytes
            && bytes >= kLeastStackBytes && bytes <= kMostStackBytes && mapping.begin % kArenaBytes != 0;
    }

    /// The zeroed data of a module lies right behind what is mapped of its file.
    bool isModuleData(std::size_t i) const
    {
        const MemoryMapping &mapping = m_uses[i].mapping;
        return i > 0 && m_uses[i - 1].mapping.isFile() && m_uses[i - 1].mapping.isWritable
            && m_uses[i - 1].mapping.end == mapping.begin && !isSharedMemory(m_uses[i - 1].mapping);
    }

    bool isArena(std::size_t i) const
    {
        const MemoryMapping &mapping = m_uses[i].mapping;
        if (mapping.begin % kArenaBytes != 0 || mapping.end - mapping.begin > kArenaBytes || i + 1 >= m_uses.size())
            return false;
        const MemoryMapping &above = m_uses[i + 1].mapping;
        return isNoAccess(above) && above.begin == mapping.end && above.end >= mapping.begin + kArenaBytes;
    }

    const std::vector<MappingUse> &m_uses;
    KnownMemory m_known;
    const ResidentBytes &m_resident;
    Parts m_parts;
};

constexpr std::array<Part, 7> kParts{
    &Parts::unknown, &Parts::heap, &Parts::mappings, &Parts::stacks, &Parts::files, &Parts::shared, &Parts::tracer};

std::int64_t sumOf(const Parts &parts)
{
    std::int64_t sum = 0;
    for (const Part part : kParts)
        sum += parts.*part;
    return sum;
}

} // namespace

Parts residentParts(const std::vector<MappingUse> &uses, const KnownMemory &known, const ResidentBytes &resident)
{
    return Sorter(uses, known, resident).sort();
}

Parts addedUp(Parts parts, std::int64_t total)
{
    for (const Part part : kParts)
        parts.*part = std::max<std::int64_t>(parts.*part, 0);
    std::int64_t surplus = sumOf(parts) - total;
    if (surplus <= 0) {
        parts.unknown -= surplus;
        return parts;
    }
    const auto giveUp = [&](Part part) {
        const std::int64_t bytes = std::min(parts.*part, surplus);
        parts.*part -= bytes;
        surplus -= bytes;
    };
    giveUp(&Parts::unknown);
    while (surplus > 0 && sumOf(parts) > 0)
        giveUp(*std::max_element(kParts.begin(), kParts.end(), [&](Part a, Part b) { return parts.*a < parts.*b; }));
    return parts;
}

Parts carriedOn(Parts parts, const ResidentLevels &then, const ResidentLevels &now)
{
    parts.files += now.files - then.files;
    parts.shared += now.shared - then.shared;
    parts.isMeasured = false;
    return addedUp(parts, now.total);
}

PageMap::PageMap(std::int32_t pid, const std::string &procRoot)
    : m_descriptor(::open((procRoot + "/" + std::to_string(pid) + "/pagemap").c_str(), O_RDONLY | O_CLOEXEC))
{
}

PageMap::~PageMap()
{
    if (m_descriptor >= 0)
        ::close(m_descriptor);
}

std::optional<std::int64_t> PageMap::residentBytes(std::uint64_t begin, std::uint64_t end)
{
    constexpr std::uint64_t kPresent = std::uint64_t{1} << 63;
    constexpr std::size_t kMostEntries = 65'536;                  // 512 KiB a read
    constexpr std::uint64_t kMostBytes = std::uint64_t{64} << 30; // 128 MiB of entries: beyond, a share is estimated
    if (end - begin > kMostBytes)
        return std::nullopt;
    std::int64_t pages = 0;
    for (std::uint64_t page = begin / kPageBytes; page < end / kPageBytes;) {
        m_entries.resize(static_cast<std::size_t>(std::min<std::uint64_t>(end / kPageBytes - page, kMostEntries)));
        const ssize_t bytes = ::pread(m_descriptor, m_entries.data(), m_entries.size() * sizeof(std::uint64_t),
            static_cast<off_t>(page * sizeof(std::uint64_t)));
        if (bytes <= 0)
            return std::nullopt;
        const auto count = static_cast<std::size_t>(bytes) / sizeof(std::uint64_t);
        for (std::size_t i = 0; i < count; ++i)
            pages += (m_entries[i] & kPresent) != 0 ? 1 : 0;
        page += count;
    }
    return pages * static_cast<std::int64_t>(kPageBytes);
}

} // namespace capture
