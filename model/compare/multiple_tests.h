// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <span>
#include <vector>

namespace model {

/// p-values raised so that rejecting all at or below α errs at all with probability α at most (Holm 1979): in ascending order the i-th of m
/// times m − i, never below the one before, at most 1. In the order of the input.
std::vector<double> holm(std::span<const double> pValues);

/// p-values raised so that of those at or below q a share of q at most is false, on average (Benjamini and Hochberg 1995): in ascending
/// order the i-th (from 1) of m times m / i, never above the one behind, at most 1. In the order of the input.
std::vector<double> benjaminiHochberg(std::span<const double> pValues);

} // namespace model
