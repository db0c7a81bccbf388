// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/gate/gate_result.h"

#include "model/aggregate/own_code.h"
#include "model/base/format_interval.h"
#include "model/compare/multiple_tests.h"
#include "model/gate/rank_tests.h"
#include "model/report/difference_words.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace model {

namespace {

// With the usual limit and 20 pairs these give, on the noise of a shared machine, 0.1 % false alarms and 96 % power at +5 %; see gate_noise_bench.
constexpr double kSignificance = 0.025; // one-sided, corrected over the noisy quantities
constexpr double kMostSpread = 0.035;   // half the interval: above, only what lies whole beyond the limit is worse
constexpr double kSettledGrowth = 0.02; // beyond the limit: what an early look must exclude
// Of a first look at half of the runs: who looks twice must ask for more the first time (O'Brien and Fleming 1979, two looks, 2.5 % one-sided).
constexpr double kEarlySignificance = 0.0026;

bool isConstant(const std::vector<double> &values)
{
    return std::all_of(values.begin(), values.end(), [&values](double value) { return value == values.front(); });
}

double ratioOf(double current, double base)
{
    if (current == base)
        return 1;
    return base > 0 ? current / base : std::numeric_limits<double>::infinity();
}

void judgeExactly(GateFinding &finding)
{
    finding.outcome = finding.current <= finding.base      ? GateOutcome::Passed
        : finding.current > finding.limit.of(finding.base) ? GateOutcome::Worse
                                                           : GateOutcome::Grown;
}

/// The limit as a ratio to the base.
double limitRatio(const GateFinding &finding)
{
    return finding.base > 0 ? finding.limit.of(finding.base) / finding.base : 1;
}

void judgeByRanks(GateFinding &finding, double ratio)
{
    const double limit = limitRatio(finding);
    const bool isSharp = (finding.ratio95.high - finding.ratio95.low) / 2 <= kMostSpread || finding.ratio95.low > limit;
    if (finding.pValue <= kSignificance && ratio > limit)
        finding.outcome = isSharp ? GateOutcome::Worse : GateOutcome::Unclear;
    else if (finding.ratio95.high > limit + kTellableGrowth)
        finding.outcome = GateOutcome::Unclear;
    else
        finding.outcome = finding.ratio95.low > 1 ? GateOutcome::Grown : GateOutcome::Passed;
    if (finding.outcome != GateOutcome::Unclear)
        finding.neededRuns = 0;
}

/// By the value that no run may exceed, after all else.
void judgeByMost(GateFinding &finding, const std::vector<double> &current)
{
    if (!finding.limit.most)
        return;
    const double most = *finding.limit.most;
    const auto beyond = std::count_if(current.begin(), current.end(), [most](double value) { return value > most; });
    if (beyond == 0)
        return;
    finding.isBeyondMost = true;
    const bool isAlways = beyond == static_cast<std::ptrdiff_t>(current.size());
    if (isAlways || finding.outcome != GateOutcome::Worse)
        finding.outcome = isAlways ? GateOutcome::Worse : GateOutcome::Unclear;
}

/// Of a quantity that has no base.
void judgeAlone(GateFinding &finding, const std::vector<double> &current)
{
    const bool isOfNoUse = !finding.note.empty() && !finding.limit.most;
    if (current.empty() || (isOfNoUse && !finding.isOwed))
        return;
    finding.runs = current.size();
    if (!finding.isOwed)
        finding.note.clear();
    finding.current = medianOf(current);
    finding.isNoisy = !isConstant(current);
    finding.outcome = finding.isOwed ? GateOutcome::Unclear : GateOutcome::Passed;
    judgeByMost(finding, current);
}

bool hasBoth(const GateSamples &sample) { return !sample.base.empty() && !sample.current.empty(); }

const GateSamples *sampleOf(const std::vector<GateSamples> &samples, GateKey key)
{
    const auto found
        = std::find_if(samples.begin(), samples.end(), [key](const GateSamples &one) { return one.key == key; });
    return found == samples.end() ? nullptr : &*found;
}

/// Whether something better than this quantity tells how it grew; says so in the finding.
bool isOnlyTold(const std::vector<GateSamples> &samples, GateFinding &finding)
{
    const GateSamples *own = finding.key == GateKey::WallTime ? sampleOf(samples, GateKey::OwnTime) : nullptr;
    if (own == nullptr || !hasBoth(*own))
        return false;
    finding.isOnlyTold = true;
    finding.waitedShare = finding.current > 0 ? std::max(1 - medianOf(own->current) / finding.current, 0.0) : 0;
    finding.outcome = GateOutcome::Passed;
    finding.neededRuns = 0;
    return true;
}

/// Values of 0 have no logarithm: half of one stands for none.
std::vector<double> positive(std::vector<double> values)
{
    for (double &value : values)
        value = std::max(value, 0.5);
    return values;
}

} // namespace

std::vector<GateFinding> judgeGate(const std::vector<GateSamples> &samples, const GateLimits &limits)
{
    std::vector<GateFinding> findings;
    std::vector<std::size_t> noisy;
    std::vector<double> ratios;
    std::vector<double> pValues;
    for (const GateSamples &sample : samples) {
        GateFinding &finding = findings.emplace_back();
        finding.key = sample.key;
        finding.limit = limits[static_cast<std::size_t>(sample.key)];
        finding.note = sample.absent;
        finding.hasBase = !sample.base.empty();
        finding.isOwed = sample.isOwed && !finding.limit.isOff && !finding.limit.most; // that needs no base
        if (!hasBoth(sample)) {
            judgeAlone(finding, sample.current);
            continue;
        }
        finding.runs = std::min(sample.base.size(), sample.current.size());
        finding.base = medianOf(sample.base);
        finding.current = medianOf(sample.current);
        finding.ratio95 = {ratioOf(finding.current, finding.base), ratioOf(finding.current, finding.base)};
        if (isConstant(sample.base) && isConstant(sample.current)) {
            judgeExactly(finding);
            judgeByMost(finding, sample.current);
            continue;
        }
        finding.isNoisy = true;
        const PairedTest test = pairedTest(positive(sample.base), positive(sample.current));
        finding.ratio95 = test.ratio95;
        finding.superiority = test.superiority;
        finding.neededRuns = test.neededPairs;
        if (isOnlyTold(samples, finding)) {
            judgeByMost(finding, sample.current);
            continue;
        }
        noisy.push_back(findings.size() - 1);
        ratios.push_back(test.ratio);
        pValues.push_back(test.pValue);
    }
    const std::vector<double> raised = holm(pValues);
    for (std::size_t i = 0; i < noisy.size(); ++i) {
        findings[noisy[i]].pValue = raised[i];
        judgeByRanks(findings[noisy[i]], ratios[i]);
        judgeByMost(findings[noisy[i]], sampleOf(samples, findings[noisy[i]].key)->current);
    }
    return findings;
}

GateOutcome verdictOf(const std::vector<GateFinding> &findings)
{
    const auto has = [&findings](GateOutcome outcome) {
        return std::any_of(findings.begin(), findings.end(),
            [outcome](const GateFinding &finding) { return finding.outcome == outcome; });
    };
    const bool isBlind
        = std::any_of(findings.begin(), findings.end(), [](const GateFinding &finding) { return finding.isBlind(); });
    return has(GateOutcome::Worse)             ? GateOutcome::Worse
        : has(GateOutcome::Unclear) || isBlind ? GateOutcome::Unclear
                                               : GateOutcome::Passed;
}

bool isSettled(const std::vector<GateFinding> &findings)
{
    return std::all_of(findings.begin(), findings.end(), [](const GateFinding &finding) {
        if (finding.isOwed && !finding.hasBase)
            return true; // more runs bring it no base
        if (!finding.isNoisy || finding.isOnlyTold || finding.isBeyondMost)
            return finding.outcome != GateOutcome::Unclear;
        if (finding.outcome == GateOutcome::Worse)
            return finding.pValue <= kEarlySignificance;
        return finding.outcome != GateOutcome::Unclear && finding.ratio95.high <= limitRatio(finding) + kSettledGrowth;
    });
}

double heapValueOf(const Snapshot &snapshot, GateKey key)
{
    const HeapSummary &heap = snapshot.heapSummary;
    switch (key) {
    case GateKey::Allocations:
        return static_cast<double>(heap.allocations);
    case GateKey::AllocatedBytes:
        return static_cast<double>(heap.allocatedBytes);
    case GateKey::Temporaries:
        return static_cast<double>(heap.temporaries);
    case GateKey::PeakBytes:
        return static_cast<double>(heap.peakBytes);
    case GateKey::LeftBytes:
        return static_cast<double>(heap.liveBytes);
    case GateKey::LeftBlocks:
        return static_cast<double>(heap.liveBlocks);
    default:
        return 0;
    }
}

void setFrames(GateStack &stack, FunctionIndex &index, StackId id, CostSource source)
{
    const std::vector<StackLine> lines = stackLines(index, id);
    stack.frames.clear();
    for (const StackLine &line : lines)
        stack.frames.push_back({line.name, line.file, line.line});
    if (lines.empty())
        stack.frames.push_back({stack.stack, {}});
    stack.shown = source == CostSource::Heap ? callerPosition(index, lines) : ownPosition(index, lines);
}

std::vector<GateStack> grownStacks(const Comparison &comparison, std::size_t most)
{
    std::vector<const StackDifference *> grown;
    for (const StackDifference &row : comparison.stacks)
        if (row.cost.change() > 0 && row.cost.isSignificant)
            grown.push_back(&row);
    std::stable_sort(grown.begin(), grown.end(),
        [](const StackDifference *a, const StackDifference *b) { return a->cost.change() > b->cost.change(); });
    std::vector<GateStack> stacks;
    for (std::size_t i = 0; i < std::min(grown.size(), most); ++i) {
        FunctionIndex &index = *comparison.indexes[sideIndex(grown[i]->side)];
        stacks.push_back({grown[i]->cost.a, grown[i]->cost.b, collapsedStack(index, grown[i]->stack)});
        setFrames(stacks.back(), index, grown[i]->stack, costInfo(comparison.kind).source);
    }
    // Samples that are too few for any one stack may be enough for a function on all its stacks.
    for (const FunctionDifference &row : comparison.functions) {
        if (!grown.empty() || stacks.size() == most || !row.caused.isSignificant)
            break; // significant ones come first
        const std::string name = comparison.indexes[sideIndex(row.side)]->name(row.shown);
        if (row.caused.change() > 0)
            stacks.push_back({row.caused.a, row.caused.b, name, {{name, row.file, row.line}}});
    }
    return stacks;
}

std::vector<GateStack> grownCpuStacks(const std::array<std::shared_ptr<const Snapshot>, 2> &recordings,
    const std::array<double, 2> &measuredNs, std::size_t most)
{
    std::array<ComparedSession, 2> sessions;
    for (const Side side : kSides) {
        const std::size_t i = sideIndex(side);
        sessions[i].snapshot = recordings[i];
        const auto sampledNs = static_cast<double>(recordings[i]->cpuSummary.timeNs);
        if (sampledNs > 0 && measuredNs[i] > 0)
            sessions[i].work = sampledNs / measuredNs[i]; // what costs are divided by
    }
    return grownStacks(*compare(sessions[0], sessions[1], CostKind::CpuTime), most);
}

std::string_view outcomeKey(GateOutcome outcome)
{
    switch (outcome) {
    case GateOutcome::Passed:
        return "passed";
    case GateOutcome::Grown:
        return "grown";
    case GateOutcome::Worse:
        return "worse";
    case GateOutcome::Unclear:
        return "unclear";
    case GateOutcome::Absent:
        return "absent";
    }
    return {};
}

std::string mostText(const GateFinding &finding)
{
    if (!finding.limit.most)
        return {};
    const Unit unit = gateKeyInfo(finding.key).unit;
    const double most = *finding.limit.most;
    const double excess = finding.current - most;
    if (finding.outcome == GateOutcome::Absent)
        return fmt::format("The limit of {} cannot be checked", costText(most, unit));
    if (!finding.isBeyondMost)
        return fmt::format("at most {}", costText(most, unit));
    if (excess <= 0)
        return fmt::format("more than {} in some runs", costText(most, unit));
    const std::string share = most > 0 ? fmt::format(" ({})", signedShare(excess / most).substr(1)) : "";
    return fmt::format("{}{} more than the limit of {}", costText(excess, unit), share, costText(most, unit));
}

namespace {

/// What would tell.
std::string neededText(std::size_t runs)
{
    constexpr std::size_t kMostWorthIt = 500;
    if (runs == 0)
        return "6 runs each are the least that could";
    return runs > kMostWorthIt ? std::string("more runs would be needed than are worth it")
                               : fmt::format("some {} runs each would do", runs);
}

} // namespace

std::string findingText(const GateFinding &finding)
{
    const GateKeyInfo &info = gateKeyInfo(finding.key);
    const std::string most = mostText(finding);
    if (finding.outcome == GateOutcome::Absent)
        return fmt::format("{}: not counted. {}{}{}", info.label, finding.note, most.empty() ? "" : " ", most);
    if (!finding.hasBase)
        return fmt::format("{}: {}, {}{}{}{}", info.label, costText(finding.current, info.unit),
            most.empty() ? "no limit" : most, finding.isNoisy ? fmt::format(" (median of {} runs)", finding.runs) : "",
            finding.note.empty() ? "" : ". ", finding.note);
    const std::string values
        = fmt::format("{} → {}", costText(finding.base, info.unit), costText(finding.current, info.unit));
    std::string change = finding.base > 0 ? signedShare(finding.current / finding.base - 1) : "new";
    if (finding.current == finding.base)
        change = "unchanged";
    else if (info.unit == Unit::Count && !finding.isNoisy)
        change = fmt::format("{}, {}", changeText({.a = finding.base, .b = finding.current}, info.unit), change);
    std::string text = fmt::format("{}: {} ({}", info.label, values, change);
    if (finding.isNoisy) {
        const bool isKnown = finding.ratio95.low > 0 && std::isfinite(finding.ratio95.high);
        if (isKnown)
            text += "; ratio of pairs "
                + formatInterval(
                    (finding.ratio95.low - 1) * 100, (finding.ratio95.high - 1) * 100, Unit::Percent, Sign::Always);
        text += finding.isOnlyTold ? std::string() : fmt::format(", p = {:.2g}", finding.pValue);
        text += fmt::format(", {} runs each", finding.runs);
    }
    if (finding.isOnlyTold)
        return text
            + fmt::format("), {:.0f} % of it waiting for a processor that others had; its growth is judged by the own "
                          "time{}{}",
                finding.waitedShare * 100, most.empty() ? "" : ", ", most);
    text += "), limit " + gateLimitText(finding.limit, info.unit) + (most.empty() ? "" : ", " + most);
    if (finding.isNoisy && info.source != GateSource::Time)
        text += "; differs between runs of one version";
    if (finding.outcome == GateOutcome::Unclear && !finding.isBeyondMost)
        text += "; too noisy to tell, " + neededText(finding.neededRuns);
    return text;
}

} // namespace model
