// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/compare/comparison.h"

namespace model {

/// What is known of a cost of one session: enough to say how sure a difference is. Adds up over stacks.
struct CostEvidence
{
    std::int64_t cost = 0;
    std::int64_t samples = 0;  ///< of the CPU
    double variance = 0;       ///< of a sampled heap's cost
    bool isOfTwoHeaps = false; ///< growth since a begin at which something was live: of that heap no variance is known

    CostEvidence &operator+=(const CostEvidence &other);
};

/// The costs of a session's stacks, ascending by stack, each once; stacks without any cost are left out.
struct StackEvidence
{
    std::vector<StackId> stacks;
    std::vector<CostEvidence> costs;
};
StackEvidence stackEvidence(const Snapshot &snapshot, CostKind kind);

/// The cost of a sample of each session: the mean of all it has; of one without any, by the rate that was asked for.
std::array<double, 2> costsPerSample(
    const std::array<StackEvidence, 2> &evidence, const Snapshot &a, const Snapshot &b);

/// How differences of this kind are known, given how the sessions were recorded.
Certainty certaintyOf(const Snapshot &a, const Snapshot &b, CostKind kind);

/// The difference of two costs. isSignificant is set for exact ones alone.
Difference differenceOf(const CostEvidence &a, const CostEvidence &b, const ComparedUnits &units, Certainty certainty);

} // namespace model
