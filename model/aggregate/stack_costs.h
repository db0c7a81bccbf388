// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/aggregate/cost_kind.h"
#include "model/snapshot.h"

#include <span>
#include <vector>

namespace model {

/// The costs of each stack, over all images and threads of a snapshot: the input of every tree and table of functions.
struct StackCosts
{
    std::vector<StackId> stacks;     ///< ascending, each once
    std::vector<std::int64_t> costs; ///< stack × kinds
    std::size_t kinds = 0;

    std::span<const std::int64_t> of(std::size_t row) const { return {costs.data() + row * kinds, kinds}; }
};

/// Adds up the rows of `snapshot`; stacks whose costs are all 0 are left out. `kinds` are of one source.
StackCosts stackCosts(const Snapshot &snapshot, const std::vector<CostKind> &kinds);

} // namespace model
