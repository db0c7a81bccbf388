// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/aggregate/time_series.h"

#include <string_view>
#include <vector>

namespace model {

/// A part of the resident memory over time.
struct MemoryPart
{
    std::string_view key;   ///< snake_case with unit suffix, for CSV
    std::string_view label; ///< for people
    TimeSeries series;      ///< `source` is the nearest metric there is
};

/// Keys of some parts.
inline constexpr std::string_view kLiveHeapPart = "live_heap_bytes", kMappingsPart = "mapping_bytes",
                                  kTracerPart = "tracer_bytes", kUnknownPart = "unknown_bytes",
                                  kSharedPart = "shared_bytes", kAllocatorPart = "allocator_bytes",
                                  kInheritedPart = "inherited_bytes";

/// What the resident memory of the selected processes consists of, in the order in which one stacks it: live heap, what
/// forked processes have of their parents' heaps (at most: what they freed of it is not known), what else the allocator holds (overhead, fragments,
/// freed and kept), mappings of the program's own, thread stacks, shared memory, files, the
/// tracer's own part, unknown. At each moment the parts add up to the RSS. In a session without such readings: live heap, other anonymous
/// memory, shared memory, files, adding up to anonymous + shared + file-backed memory. All parts have the same moments; parts that are 0 throughout are left out. The live heap is that
/// of the programs that the same processes run then (what one held before an exec is gone), capped by
/// what the allocator has resident: what was requested but never touched is not resident. Pure.
std::vector<MemoryPart> memoryParts(const Snapshot &snapshot);

/// The same as numbers, at the last moment until `when` and in the selection at which pages were read; where they never were, at the last one at
/// all, with parts that are carried on by the kernel's counters.
struct MemoryNow
{
    struct Part
    {
        std::string_view key;
        std::string_view label;
        double bytes = 0;
    };
    Timestamp when;
    bool isMeasured = false; ///< the pages of nearly all of it were read then
    std::vector<Part> parts;
    double untouchedBytes
        = 0; ///< of the live heap, the least that can not be resident: requested, but never touched or swapped out
};
MemoryNow memoryAt(const Snapshot &snapshot, Timestamp when);
/// At the ends of a time: the first moment from its begin on at which pages were read, without one as memoryAt(), and memoryAt() its end.
struct MemoryChange
{
    MemoryNow before;
    MemoryNow after;
};
MemoryChange memoryBetween(const Snapshot &snapshot, TimeRange range);
/// Where it was at its highest in the selection, of the moments at which pages were read; where it was higher by a twentieth at another, there, with
/// parts that are carried on. Of moments that are nearly as high the last. What is told of processes that ended in a tick was so before its end: `when` is
/// the last moment at which those lived that have it.
MemoryNow memoryAtItsHeight(const Snapshot &snapshot);

} // namespace model
