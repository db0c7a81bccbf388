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

/// What the resident memory of the selected processes consists of, in the order in which one stacks it: live heap, other anonymous
/// memory (allocator slack, thread stacks, mappings), shared memory, files. At each moment the parts add up to
/// anonymous + shared + file-backed memory. All parts have the same moments; parts that are 0 throughout are left out. The live heap is capped by
/// the anonymous memory: what was requested but never touched is not resident. Pure.
std::vector<MemoryPart> memoryParts(const Snapshot &snapshot);

} // namespace model
