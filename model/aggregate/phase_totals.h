// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/snapshot.h"

#include <string>
#include <vector>

namespace model {

/// All phases of one name and depth.
struct PhaseTotal
{
    std::string name;
    std::uint32_t depth = 0;
    std::int64_t count = 0;
    Duration time; ///< together, of all threads; of one that goes on, up to the end of the recording
    Duration longest;
    Timestamp first; ///< begin of the first
};

/// The phases of the snapshot that begin within its span, by name and depth, in the order of their first begin. Pure.
std::vector<PhaseTotal> phaseTotals(const Snapshot &snapshot);

/// Marks, the begins of the outermost phases, and changes of how the heap was recorded, ascending in time: what a line of events shows. Pure.
std::vector<Mark> timelineMarks(const Snapshot &snapshot);

} // namespace model
