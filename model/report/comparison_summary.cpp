// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/report/comparison_summary.h"

#include "model/base/format_units.h"
#include "model/report/difference_words.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string_view>

namespace model {

namespace {

constexpr double kLeastChange = 0.001;    ///< as a share: less is not worth a word
constexpr double kLeastUnmatched = 0.005; ///< as a share

double relativeChange(const Difference &total)
{
    return total.a > 0 ? total.b / total.a - 1 : std::numeric_limits<double>::infinity();
}

bool isChanged(const Difference &total)
{
    return total.isSignificant && std::abs(relativeChange(total)) >= kLeastChange;
}

/// What most costs that are not told of themselves follow from: by key.
constexpr std::array<std::array<std::string_view, 2>, 12> kFollowers{{
    {"syscall_time", "syscalls"},
    {"syscall_errors", "syscalls"},
    {"wait", "blocked"},
    {"waits", "blocked"},
    {"allocated", "allocations"},
    {"temporary", "allocations"},
    {"temporary_bytes", "allocations"},
    {"peak_blocks", "peak"},
    {"live_blocks", "live"},
    {"growth", "live"},
    {"mapped", "mapped_live"},
    {"pool", "pool_live"},
}};

/// Whether a cost changed as much as what it follows from lets expect: in its direction, and less than twice as far.
bool followsFromAnother(const ComparedSessions &compared, const ComparedCost &cost)
{
    const auto follower = std::find_if(
        kFollowers.begin(), kFollowers.end(), [&](const auto &each) { return each[0] == cost.cost.key; });
    if (follower == kFollowers.end())
        return false;
    const auto leader = std::find_if(compared.costs.begin(), compared.costs.end(),
        [&](const ComparedCost &each) { return each.cost.key == (*follower)[1]; });
    if (leader == compared.costs.end() || !isChanged(leader->comparison.total))
        return false;
    const double change = relativeChange(cost.comparison.total), led = relativeChange(leader->comparison.total);
    return (change > 0) == (led > 0) && std::abs(change) <= 2 * std::abs(led);
}

std::string wordsOf(const ComparedCost &cost)
{
    const Difference &total = cost.comparison.total;
    std::string words = fmt::format("{} {}", cost.cost.label, relativeText(total));
    if (const std::string interval = relativeIntervalText(total, cost.comparison.certainty); !interval.empty())
        words += " (" + interval + ")";
    return words;
}

std::string joined(const std::vector<std::string> &parts)
{
    std::string words;
    for (const std::string &part : parts)
        words += (words.empty() ? "" : ", ") + part;
    return words;
}

std::string unmatchedOf(const ComparedSessions &compared)
{
    std::vector<std::string> parts;
    for (const ComparedCost &cost : compared.costs) {
        const double share = 1 - cost.comparison.matchedShare;
        if (cost.cost.isTold && share >= kLeastUnmatched)
            parts.push_back(fmt::format("{} of {}", formatShare(share), cost.cost.label));
    }
    return joined(parts);
}

/// Whether so little of a cost stands on stacks that both have that there is nothing to compare.
bool isApart(const Comparison &comparison)
{
    constexpr double kLeastMatched = 0.05, kLeastSamples = 30;
    if (comparison.matchedShare >= kLeastMatched)
        return false;
    const std::array<double, 2> counts{
        static_cast<double>(comparison.total.countA), static_cast<double>(comparison.total.countB)};
    const bool isSampled = costInfo(comparison.kind).source == CostSource::Cpu;
    return std::all_of(kSides.begin(), kSides.end(), [&](Side side) {
        const std::size_t i = sideIndex(side);
        return isSampled ? counts[i] >= kLeastSamples * comparison.units.perSample[i] : counts[i] != 0;
    });
}

/// Of programs that share no code of theirs: the CPU time tells, and without it all that is told. They may well share what a library allocates as
/// it starts.
std::string differentPrograms(const ComparedSessions &compared)
{
    std::vector<const ComparedCost *> telling;
    for (const ComparedCost &cost : compared.costs)
        if (costInfo(cost.cost.kind).source == CostSource::Cpu)
            telling = {&cost};
    if (telling.empty())
        for (const ComparedCost &cost : compared.costs)
            if (cost.cost.isTold || compared.costs.size() == 1)
                telling.push_back(&cost);
    const bool isAnyMatched = std::any_of(
        telling.begin(), telling.end(), [](const ComparedCost *cost) { return !isApart(cost->comparison); });
    if (telling.empty() || isAnyMatched)
        return {};
    const ComparedCost &first = *telling.front();
    return fmt::format("These look like different programs: {} of {} is on stacks that both have, so what differs "
                       "tells little.",
        formatShare(first.comparison.matchedShare), first.cost.label);
}

/// Of what was attached to, or was cut off by a window or an end of the recording: no work that the other did too.
bool isPartOfRun(const Snapshot &snapshot)
{
    const std::string &reason = snapshot.info.endReason;
    return snapshot.info.config.command.empty() || snapshot.selection.time
        || (!reason.empty() && !reason.starts_with(kCommandEnded));
}

/// From which share on one that lasts longer is told: a tenth between two whole runs, which may do the same in different times; between parts of
/// runs half of the least change, as that may be due to it.
double leastExcessOf(const std::vector<const ComparedCost *> &changed, bool isAnyPart)
{
    double least = 0.1;
    if (isAnyPart)
        for (const ComparedCost *cost : changed)
            least = std::min(least, std::abs(relativeChange(cost->comparison.total)) / 2);
    return least;
}

/// Costs that grow with time say nothing of two lengths of time, but of two runs that did the same they do. Ends where what is said of the
/// costs goes on, if anything is.
std::string lengthsOf(const ComparedSessions &compared, const std::vector<const ComparedCost *> &changed)
{
    const Snapshot &first = *compared.sessions[0].snapshot, &second = *compared.sessions[1].snapshot;
    const Duration a = first.span.length(), b = second.span.length();
    if (compared.normalisation.per != PerWork::Nothing || a.ns <= 0 || b.ns <= 0)
        return {};
    const bool isAnyPart = isPartOfRun(first) || isPartOfRun(second);
    if (std::max(a, b).seconds() / std::min(a, b).seconds() - 1 < leastExcessOf(changed, isAnyPart))
        return {};
    const std::string lengths = fmt::format("A lasts {} and B {}", formatDuration(a), formatDuration(b));
    if (isAnyPart)
        return fmt::format("{} ({}), and parts of runs are not the same work: compare per second.{}", lengths,
            relativeText({.a = a.seconds(), .b = b.seconds()}), changed.empty() ? "" : " As counted: ");
    return fmt::format(
        "{}: unless both did the same work, compare per second.{}", lengths, changed.empty() ? "" : " If they did: ");
}

/// Costs whose totals differ, the greatest change first: those that are told, or where none of them does, of all that are shown.
std::vector<const ComparedCost *> changedOf(const ComparedSessions &compared)
{
    std::vector<const ComparedCost *> changed;
    for (const bool isAnyTold : {true, false}) {
        for (const ComparedCost &cost : compared.costs)
            if ((!isAnyTold || isTold(compared, cost)) && isChanged(cost.comparison.total))
                changed.push_back(&cost);
        if (!changed.empty())
            break;
    }
    std::stable_sort(changed.begin(), changed.end(), [](const ComparedCost *a, const ComparedCost *b) {
        return std::abs(relativeChange(a->comparison.total)) > std::abs(relativeChange(b->comparison.total));
    });
    return changed;
}

/// Where no total is known to differ; what has no known error may, all the same.
std::string nothingDiffers(const ComparedSessions &compared)
{
    std::vector<std::string> unknown;
    bool isExact = true;
    for (const ComparedCost &cost : compared.costs) {
        const Comparison &comparison = cost.comparison;
        isExact = isExact && comparison.certainty == Certainty::Exact;
        const bool isAnyChange = std::abs(relativeChange(comparison.total)) >= kLeastChange
            && (comparison.total.a != 0 || comparison.total.b != 0);
        if (comparison.certainty == Certainty::Unknown && isAnyChange
            && (cost.cost.isTold || compared.costs.size() == 1))
            unknown.push_back(wordsOf(cost));
    }
    if (!unknown.empty())
        return "No total is known to differ; how much these vary from run to run is not known: " + joined(unknown)
            + ".";
    return isExact ? "No total differs by 0.1 % or more."
                   : "No total differs by more than sampling explains, or by 0.1 %.";
}

} // namespace

bool isTold(const ComparedSessions &compared, const ComparedCost &cost)
{
    return cost.cost.isTold || (isChanged(cost.comparison.total) && !followsFromAnother(compared, cost));
}

ComparisonSummary comparisonSummary(const ComparedSessions &compared)
{
    const std::vector<const ComparedCost *> changed = changedOf(compared);
    ComparisonSummary summary;
    for (const ComparedCost *cost : changed)
        (cost->comparison.total.change() > 0 ? summary.worse : summary.better).push_back(wordsOf(*cost));
    const std::string lengths = lengthsOf(compared, changed);
    if (!changed.empty())
        summary.sentence = lengths;
    if (!summary.worse.empty())
        summary.sentence += (summary.sentence.empty() ? "Worse: " : "worse: ") + joined(summary.worse) + ".";
    if (!summary.better.empty())
        summary.sentence += (summary.sentence.empty()       ? "Better: "
                                    : summary.worse.empty() ? "better: "
                                                            : " Better: ")
            + joined(summary.better) + ".";
    if (changed.empty())
        summary.sentence = nothingDiffers(compared) + (lengths.empty() ? "" : " " + lengths);
    if (const std::string apart = differentPrograms(compared); !apart.empty())
        summary.sentence = apart + ' ' + summary.sentence;
    summary.unmatched = unmatchedOf(compared);
    return summary;
}

} // namespace model
