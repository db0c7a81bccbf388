// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/aggregate/cost_kind.h"
#include "model/analysis/robust_trend.h"
#include "model/compare/stack_matching.h"
#include "model/snapshot.h"

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace model {

/// A session, or a window of one, that is compared, and how much work it did: costs of a time are divided by that.
struct ComparedSession
{
    std::shared_ptr<const Snapshot> snapshot;
    double work = 1; ///< above 0
};

/// How a difference is known.
enum class Certainty : std::uint8_t {
    Exact,     ///< both costs are counts of everything: they differ, or they do not
    Estimated, ///< of samples: see the p-value and the interval
    Unknown, ///< not judged: what no error is known of, as of peaks of a sampled heap, or how much it varies from run to run: times and waits
};

/// A cost before and after.
struct Difference
{
    double a = 0; ///< divided by the session's work
    double b = 0;
    std::int64_t countA = 0; ///< as recorded
    std::int64_t countB = 0;
    Interval ratio95{1,
        1}; ///< of b to a: both ends the ratio itself where exact; infinite where a may be 0, from -∞ to ∞ where nothing is known
    double pValue = 1; ///< of no difference; exact ones: 0 or 1
    bool isSignificant
        = false; ///< exact: they differ; of samples: at a false discovery rate of 5 % over all rows of the list

    double change() const { return b - a; }
};

/// A group of stacks that mean the same.
struct StackDifference
{
    SequenceId group;
    /// The stack of the group that changed most in the direction of the group, and its session; what is to be shown.
    StackId stack;
    Side side = Side::B;
    bool isInA = false; ///< any stack of the group
    bool isInB = false;
    Difference cost;
};

struct FunctionDifference
{
    MatchId function;
    FunctionId shown; ///< of `side`
    Side side = Side::B;
    bool isInA = false;
    bool isInB = false;
    std::string file; ///< of its heaviest frame, in B where it is there; empty if unknown
    std::uint32_t line = 0;
    /// How many functions of one session, the one with more of them, the row is about: builds tell them by numbers alone, or are not told apart.
    std::uint32_t functions = 1;
    /// On the stacks whose innermost function it is, functions left out that may be inlined elsewhere; 0 for those themselves.
    Difference self;
    /// On the stacks whose cost it answers for: of a heap those of which it is the callerLine(), of other costs the same as self.
    Difference caused;
    Difference total; ///< on the stacks that it stands on
};

/// What costs are divided by, and what a sample of the CPU stands for where a row has none, by side.
struct ComparedUnits
{
    std::array<double, 2> works{1, 1};
    std::array<double, 2> perSample{1, 1};
};

/// Two sessions by one cost.
struct Comparison
{
    CostKind kind = CostKind::Live;
    Certainty certainty = Certainty::Exact;
    bool isPerWork = false; ///< the cost is one of a time, so it was divided by the work
    ComparedUnits units;
    Difference total;
    std::vector<StackDifference> stacks;       ///< significant ones first, then by descending |change|
    std::vector<FunctionDifference> functions; ///< the same by |change| of caused
    /// Share of both sessions' cost that stands on groups that both have; 1 where there is none.
    double matchedShare = 1;
    std::shared_ptr<const StackMatching> matching;
    std::array<std::shared_ptr<FunctionIndex>, 2> indexes; ///< const once made; for names and stacks
};

/// Compares two sessions by one cost, stack by stack and function by function, matched by StackMatching. Pure. Nothing when `stop` was
/// requested. Significance of samples covers the sampling alone: that two runs of one build differ it cannot know; repeat them (the gate does).
std::optional<Comparison> compare(
    const ComparedSession &a, const ComparedSession &b, CostKind kind, std::stop_token stop = {});

/// Whether `kind` is a cost of a time (allocations, bytes, CPU) and not a state (live, peak), so that dividing it by work makes sense.
bool isCostOfTime(CostKind kind);

} // namespace model
