// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/analysis/recommendations.h"
#include "model/analysis/resident_growth.h"
#include "model/analysis/summary.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace model {

/// The number of the card where no place grows.
inline constexpr const char *kNothingGrows = "nothing found";

/// The answer to "does it leak": places that grow, what grows beside the heap, and what scans found lost in the selected time.
SummaryCard growthCard(
    const Snapshot &snapshot, const Recommendations &found, const std::optional<ResidentGrowth> &other);

/// The first recommendation by a rule; null if there is none.
const Recommendation *firstOf(const Recommendations &found, std::string_view rule);
/// "4.1 MiB/h (3.7–4.6)" split before the bracket.
std::pair<std::string, std::string> splitInterval(const std::string &text);

} // namespace model
