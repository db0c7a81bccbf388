// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace model {

/// Pairs sequences of `a` and `b` that are equal once at most two elements of either are left out, the first one kept (of a stack:
/// the innermost function); fewest left out first, each sequence in one pair at most. Of long ones (more than 24 elements) one element is left out
/// at most. Then, of those without a pair, sequences of which one is the other with any number of elements left out, first and last kept
/// (a compiler that turns calls into jumps takes out whole runs of callers); the fewest left out first. By hashes of what is left, as in symmetric-delete spelling correction (W. Garbe, 2012): O(n · length²), not O(n²);
/// the second part among those with the same first and last element only, at most 200 of them.
/// Sequences of fewer than three elements have no near ones.
std::vector<std::pair<std::size_t, std::size_t>> nearSequences(
    std::span<const std::vector<std::uint32_t>> a, std::span<const std::vector<std::uint32_t>> b);

} // namespace model
