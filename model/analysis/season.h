// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <array>
#include <optional>
#include <span>

namespace model {

/// A cycle of two harmonics: what it adds at block `i` is at(i).
struct Season
{
    double periodBlocks = 0;
    std::array<double, 4> factors{}; ///< of sin, cos, sin 2, cos 2

    double at(double block) const;
};

/// The cycle of a known length in a series with a trend; empty where the series covers less than 1.5 of them, or where it explains
/// no more than correlated noise would.
std::optional<Season> findSeason(std::span<const double> values, double periodBlocks);

} // namespace model
