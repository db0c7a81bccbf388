// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/compare/comparison.h"
#include "model/gate/gate_key.h"
#include "model/gate/time_test.h"

#include <array>
#include <memory>
#include <string>
#include <vector>

namespace model {

/// What runs of two versions gave for one quantity.
struct GateSamples
{
    GateKey key = GateKey::Allocations;
    std::vector<double> base; ///< of paired runs base[i] and current[i] ran next to each other
    std::vector<double> current;
    std::string absent;  ///< why there are no values, or none to compare with, as a sentence
    bool isOwed = false; ///< without them there is no answer, unless any growth is accepted
};

enum class GateOutcome : std::uint8_t {
    Passed,
    Grown,   ///< more than the base, within the limit
    Worse,   ///< beyond the limit
    Unclear, ///< too noisy to tell
    Absent,
};

/// A function on a stack that grew.
struct GateFrame
{
    std::string function;
    std::string file; ///< as in the debug information; empty if unknown
    std::uint32_t line = 0;
};

/// A stack that grew, or a function of the CPU.
struct GateStack
{
    double base = 0; ///< cost of the group
    double current = 0;
    std::string stack;               ///< collapsed, root first
    std::vector<GateFrame> frames{}; ///< the same, leaf first, with their places
    std::size_t shown = 0; ///< of these, the one to look at: who asked for memory, else the innermost own code
    /// The frame to look at.
    const GateFrame &frame() const { return frames.at(shown); }
};

/// The answer for one quantity.
struct GateFinding
{
    GateKey key = GateKey::Allocations;
    GateOutcome outcome = GateOutcome::Absent;
    bool isNoisy = false;      ///< runs of one version differ, so that it was judged by ranks
    bool isOnlyTold = false;   ///< its growth is not judged: of the wall time, where the own time is
    double waitedShare = 0;    ///< of such a wall time: how much of it the current version waited for a processor
    bool hasBase = false;      ///< there is something to compare with; else only GateLimit::most is judged
    bool isBeyondMost = false; ///< of the limit: the value that it must never exceed
    double base = 0;           ///< medians
    double current = 0;
    GateLimit limit;
    std::size_t runs = 0; ///< of each version
    Interval ratio95{1, 1};
    double pValue = 1; ///< of noisy ones, after Holm's correction
    double superiority = 0.5;
    std::size_t neededRuns = 0; ///< of unclear ones: so many would do
    std::string note;           ///< of absent ones, and of those that lack a base that they are owed: why
    bool isOwed
        = false; ///< its growth was to be judged, whatever this host allows; not beside a value that it must never exceed
    std::vector<GateStack> stacks; ///< what grew, the most first; filled by whoever has the sessions

    /// It was to be judged, by a value that it must never exceed or as it is owed, and none was measured.
    bool isBlind() const { return outcome == GateOutcome::Absent && (limit.most.has_value() || isOwed); }
};

/// Judges all quantities. Counts that every run of the base gave alike and every run of the current version too are compared exactly:
/// worse beyond the limit. All others are noisy: worse when Mann–Whitney's p ≤ 2.5 %, corrected by Holm over them, the ratio of the pairs
/// (Hodges–Lehmann) is beyond the limit, and its 95 % interval is within ±3.5 % or whole beyond the limit; unclear when only the last fails, or
/// when nothing is shown but the upper end of the interval lies 3 % beyond the limit. A quantity with GateLimit::most is worse when every run of
/// the current version exceeds that, and unclear when only some do; one without a base is judged by that alone, and where it has no such limit unclear if a base is owed. The growth of the wall time is only told
/// where the own time of both versions is known: what else it has is what other programs did. Pure.
std::vector<GateFinding> judgeGate(const std::vector<GateSamples> &samples, const GateLimits &limits);

/// The worst outcome: Worse, then Unclear (blind ones too), then Passed (Grown and Absent too).
GateOutcome verdictOf(const std::vector<GateFinding> &findings);

/// Whether a first look, after half of the runs, may be the last: nothing is unclear that more runs could tell (a base that is owed and missing they do not bring), what is worse has p ≤ 0.26 % (O'Brien and Fleming's bound of a
/// first look of two), and what is not excludes a growth of 2 % beyond its limit.
bool isSettled(const std::vector<GateFinding> &findings);

/// What a session gives for the quantities of a recorded run, over all its processes.
double heapValueOf(const Snapshot &snapshot, GateKey key);

/// The stacks of a comparison that grew, the greatest growth first; functions, where no stack by itself has samples enough. At most `most`.
std::vector<GateStack> grownStacks(const Comparison &comparison, std::size_t most);

/// The same by CPU time, of two recordings by samples: each stack's share of the samples times `measuredNs`, what that version used in plain runs.
/// Samples that were due but not taken, more of them in one version than in the other, would pass for less work.
std::vector<GateStack> grownCpuStacks(const std::array<std::shared_ptr<const Snapshot>, 2> &recordings,
    const std::array<double, 2> &measuredNs, std::size_t most);

/// Frames of a stack and which of them is to be looked at, as `stack` has it; of a heap its caller's, see callerLine().
void setFrames(GateStack &stack, FunctionIndex &index, StackId id, CostSource source);

/// The finding in one sentence: "Allocations: 1,000,000 → 1,000,001 (+0.0001 %), limit +0.5 %", "Peak of the heap: 70 MiB, 6 MiB (9.4 %) more
/// than the limit of 64 MiB".
std::string findingText(const GateFinding &finding);
/// The part of it about the value that must never be exceeded: "at most 64 MiB"; empty where there is none.
std::string mostText(const GateFinding &finding);
/// "passed", "grown", "worse", "unclear", "absent".
std::string_view outcomeKey(GateOutcome outcome);

} // namespace model
