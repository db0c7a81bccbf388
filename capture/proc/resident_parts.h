// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/heap/known_memory.h"
#include "capture/proc/smaps.h"
#include "model/event_batch.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace capture {

/// How many bytes of [begin, end) are resident; empty if that cannot be found out.
using ResidentBytes = std::function<std::optional<std::int64_t>(std::uint64_t begin, std::uint64_t end)>;

/// What the resident pages of a process are for, from its smaps (ascending) and what its tracer knows. The kernel joins neighbouring
/// anonymous mappings into one: of such, the pages of each part are counted by `resident`, or where it cannot, shared out by length. Pure.
///
/// Heap: [heap] and glibc's arenas; where the tracer has told of all mappings from the begin on, also the anonymous memory that
/// nobody else claims, which is the allocator's by elimination. Stacks: [stack], a mapping that holds an address of a thread's stack; and
/// where none is known, a mapping behind a guard as glibc makes it. Files: also private copies of their pages, and the zeroed data behind a module's own.
model::MemoryPartsRow residentParts(
    const std::vector<MappingUse> &uses, const KnownMemory &known, const ResidentBytes &resident);

/// Resident bytes as /proc/PID/status has them.
struct ResidentLevels
{
    std::int64_t total = 0;
    std::int64_t anonymous = 0;
    std::int64_t files = 0;
    std::int64_t shared = 0;
};

/// Makes parts add up to `levels.total`: what is missing is unknown; what is too much (the two were not read in the same moment) is taken from
/// the unknown first, then from the greatest.
model::MemoryPartsRow addedUp(model::MemoryPartsRow parts, std::int64_t total);

/// Parts measured at `then`, carried on to `now`: files and shared memory as the kernel counts them; nobody knows whose the other new
/// pages are.
model::MemoryPartsRow carriedOn(model::MemoryPartsRow parts, const ResidentLevels &then, const ResidentLevels &now);

/// Resident pages of a process, from /proc/PID/pagemap.
class PageMap
{
public:
    explicit PageMap(std::int32_t pid, const std::string &procRoot = "/proc");
    ~PageMap();
    PageMap(const PageMap &) = delete;
    PageMap &operator=(const PageMap &) = delete;

    std::optional<std::int64_t> residentBytes(std::uint64_t begin, std::uint64_t end);

private:
    int m_descriptor;
    std::vector<std::uint64_t> m_entries;
};

} // namespace capture
