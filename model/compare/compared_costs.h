// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/base/result.h"
#include "model/compare/comparison.h"
#include "model/compare/work.h"

#include <string>
#include <string_view>
#include <vector>

namespace model {

/// A cost by which sessions can be compared: one of malloc's heap, of mappings, of pools, or of the CPU.
struct ComparableCost
{
    std::string_view key; ///< "allocations", "mapped_live"; on the command line and in reports
    std::string_view label;
    CostKind kind = CostKind::Live;
    std::optional<AreaKind> area; ///< instead of malloc's heap
    bool isTold
        = true; ///< its functions and stacks are worth telling beside those of the others; most follow from another
};

/// All of them, in the order of reports.
const std::vector<ComparableCost> &comparableCosts();
/// Those with this key, or of the group with this name ("heap", "mappings", "pools"); empty if there are none.
std::vector<ComparableCost> comparableCostsOf(std::string_view keyOrGroup);

/// A cost and how the sessions differ in it.
struct ComparedCost
{
    ComparableCost cost;
    std::array<ComparedSession, 2>
        sessions; ///< what was compared: of an area, with that for its heap; CPU time without the tracer's
    Comparison comparison;
};

/// Two sessions side by side.
struct ComparedSessions
{
    std::array<ComparedSession, 2> sessions;
    Normalisation normalisation;
    std::vector<ComparedCost> costs; ///< without those that neither session has any of
    std::vector<std::string> notes;  ///< what limits the comparison, as sentences
};

/// Compares by each of `costs`. Pure. Fails where a session did none of the work to divide by, or has none of the costs, and where `stop` was
/// requested.
Result<ComparedSessions> compareSessions(std::shared_ptr<const Snapshot> a, std::shared_ptr<const Snapshot> b,
    const Normalisation &normalisation, const std::vector<ComparableCost> &costs, std::stop_token stop = {});

} // namespace model
