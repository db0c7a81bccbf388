// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/base/result.h"
#include "model/gate/gate_result.h"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace model {

/// What a baseline holds of each stack, in the order of the columns of its file.
inline constexpr std::array kBaselineCosts{GateKey::Allocations, GateKey::AllocatedBytes, GateKey::Temporaries,
    GateKey::PeakBytes, GateKey::LeftBytes, GateKey::LeftBlocks};
using BaselineStack = std::array<std::int64_t, kBaselineCosts.size()>;

/// Stacks by their text: functions root first, joined by ';', without what compilers number anew (matchName()).
using BaselineStacks = std::map<std::string, BaselineStack>;

/// Where and when a baseline was made.
struct BaselineOrigin
{
    std::string command;
    std::string date;   ///< ISO 8601, UTC
    std::string branch; ///< empty where it is not known
    std::string commit;
    std::string machine; ///< class of machine: times of another one do not compare
    std::string reason;  ///< why it was accepted; one line
};

/// What a version of a program needs: the values of all runs (one value where they were all the same), and the stacks.
struct Baseline
{
    BaselineOrigin origin;
    std::map<GateKey, std::vector<double>> values;
    BaselineStacks stacks; ///< the costliest
    BaselineStack rest{};  ///< of the stacks that are not kept
};

/// As text fit for a repository: one line a key or stack in a fixed order, so that a difference shows what changed. Numbers of counts are whole. The last
/// line says how many there are: where two branches changed it, it is made anew, as lines of both together are of no program.
std::string baselineText(const Baseline &baseline);
/// Reads that, and what version 1 wrote, which has no last line. Fails with the line that is wrong, or where lines are missing.
Result<Baseline> readBaseline(std::string_view text);

/// A line of the history: origin and medians, joined by tabs; what stands in the file NAME.history, one line a save, oldest first.
struct HistoryEntry
{
    BaselineOrigin origin;
    std::map<GateKey, double> values;
};
std::string historyLine(const Baseline &baseline);
/// Reads a history, in the order of dates (lines may have been merged in any order), each line once. Lines that are none are skipped and counted.
struct History
{
    std::vector<HistoryEntry> entries;
    std::size_t unreadable = 0;
};
History readHistory(std::string_view text);

/// The stacks of a session with their costs; at most `most` of them kept, those with the greatest share of any cost.
struct SessionStacks
{
    BaselineStacks stacks;
    BaselineStack rest{};
    std::map<std::string, StackId, std::less<>> examples; ///< a stack for each text, the one with the most allocations
};
SessionStacks stacksOf(const Snapshot &snapshot, std::size_t most);
inline constexpr std::size_t kMostBaselineStacks = 500;

/// The stacks that cost more than in the baseline, matched as compare() does; places from `snapshot`. At most `most`, greatest growth first.
std::vector<GateStack> grownStacks(const Baseline &baseline, const Snapshot &snapshot, GateKey key, std::size_t most);

} // namespace model
