// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/analysis/leak_detector.h"

#include <string>

namespace model {

// The rule for growth and a scan for lost memory answer different questions of one stack. Where their answers seem to contradict each
// other, each is told beside the other, with the reason.

/// What the last scan of its image says of a place that is accused for its growth: that pointers still lead to its blocks, or which are lost.
/// Empty where there was no scan, or no block of the place when it was made.
std::string scanOfSuspect(const Snapshot &snapshot, const LeakItem &item);

/// Why the rule does not accuse a place of which a scan found lost blocks. Empty where it does, or cannot tell yet.
std::string acquittalOfLost(const LeakItem &item);

/// What the rule makes of the history of a stack of a scan: that it keeps growing, or, where blocks of it are lost, why not. Empty where the
/// history is too short, or there is nothing to say beside the scan.
std::string growthOfScanned(const Snapshot &snapshot, const MemoryScan &scan, StackId stack);

} // namespace model
