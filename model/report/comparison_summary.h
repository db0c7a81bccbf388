// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/compare/compared_costs.h"

#include <string>
#include <vector>

namespace model {

/// What got worse and better from one session to another, in words.
struct ComparisonSummary
{
    /// "CPU time −12 % (−15 … −9 %)": costs that differ by more than sampling explains and by 0.1 % or more, greatest change first. Of those
    /// that are not told (isTold()) none, unless only they differ.
    std::vector<std::string> worse;
    std::vector<std::string> better;
    std::string
        sentence; ///< "Worse: …. Better: …."; "No total differs …"; before it, that these look like different programs
    /// What of the costs stands on stacks that only one of the two has: "41 % of CPU time"; empty where all is matched.
    std::string unmatched;
};

/// Whether what differs in a cost is worth telling: of itself (ComparableCost::isTold), as it was asked for by name, or as it differs where what
/// it usually follows from does not, or not half as much (allocated bytes, where there are as many allocations). Pure.
bool isTold(const ComparedSessions &compared, const ComparedCost &cost);

/// Pure.
ComparisonSummary comparisonSummary(const ComparedSessions &compared);

} // namespace model
