// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <span>

namespace model {

/// Something that holds `value` (≥ 0) from `beginNs` until before `endNs`.
struct Stay
{
    std::int64_t beginNs = 0;
    std::int64_t endNs = 0;
    double value = 0;

    bool lastsAt(std::int64_t whenNs) const { return beginNs <= whenNs && whenNs < endNs; }
};

/// The first moment at which the stays that last then have the greatest sum; empty where none lasts. Time O(n log n). Pure.
std::optional<std::int64_t> mostAtOnce(std::span<const Stay> stays);

} // namespace model
