// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/recommendations.h"

#include "model/aggregate/time_series.h"
#include "model/analysis/rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <tuple>

namespace model {

namespace {

constexpr double kLeastGain = 0.01;
constexpr double kGrowthHorizonHours = 24;     ///< growth is weighed by what it will hold by then
constexpr double kUnknownAllocationCost = 0.1; ///< share of the CPU time in malloc and free where it was not measured

struct RuleName
{
    std::string_view key;
    std::string_view label;
};

constexpr std::array<RuleName, 7> kRuleNames{{
    {"growing_stack", "Growing stack"},
    {"temporary_allocations", "Temporary allocations"},
    {"hot_function", "Hot function"},
    {"allocator_time", "Time in malloc and free"},
    {"copy_time", "Time in copies"},
    {"retained_memory", "Retained memory"},
    {"page_faults", "Page faults"},
}};

/// Turns gains of all kinds into shares of what the program has: memory or time.
class Scorer
{
public:
    Scorer(const Snapshot &snapshot, const Recommendations &found)
    {
        const std::optional<SeriesPoint> rss = timeSeries(snapshot, Metric::Rss).last();
        m_memory = std::max({1.0, rss ? rss->value : 0, static_cast<double>(snapshot.heapSummary.liveBytes)});
        for (const Recommendation &item : found.items)
            if (item.rule == Rule::AllocatorTime && !item.evidence.empty())
                m_allocatorShare = item.evidence.front().value / 100;
        if (snapshot.cpuSummary.samples == 0)
            m_allocatorShare = std::max(m_allocatorShare, kUnknownAllocationCost);
    }

    /// Middle of the expected gain as a share, 0 to 1.
    double relativeGain(const Recommendation &item) const
    {
        const double middle = (item.gain.low + item.gain.high) / 2;
        switch (item.gainKind) {
        case GainKind::CpuShare:
            return std::clamp(middle, 0.0, 1.0);
        case GainKind::Bytes:
            return std::clamp(middle / m_memory, 0.0, 1.0);
        case GainKind::BytesPerHour:
            return std::clamp(item.gain.low * kGrowthHorizonHours / m_memory, 0.0, 1.0);
        case GainKind::AllocationShare:
            return std::clamp(middle * std::max(m_allocatorShare, 0.05), 0.0, 1.0);
        }
        return 0;
    }

private:
    double m_memory = 1;
    double m_allocatorShare = 0;
};

std::string sentenceFor(const Recommendations &found)
{
    const std::string seen
        = fmt::format("looked at {} stacks for {}", formatCount(found.stacksSeen), formatDuration(found.timeSeen));
    if (found.items.empty())
        return "Nothing found, " + seen + '.';
    return fmt::format(
        "{} {} worth changing; {}.", found.items.size(), found.items.size() == 1 ? "thing" : "things", seen);
}

} // namespace

std::string_view ruleKey(Rule rule) { return kRuleNames.at(static_cast<std::size_t>(rule)).key; }

std::string_view ruleLabel(Rule rule) { return kRuleNames.at(static_cast<std::size_t>(rule)).label; }

std::optional<Recommendations> recommendations(const Snapshot &snapshot, std::stop_token stop)
{
    Recommendations found{.stacksSeen = static_cast<std::int64_t>(snapshot.heap.size() + snapshot.cpu.size()),
        .timeSeen = snapshot.span.length()};
    FunctionIndex functions(snapshot.tables);
    const RuleInput input{snapshot, functions, stop};
    const bool isWhole = findGrowingStacks(input, found) && findTemporaryAllocations(input, found)
        && findHotFunctions(input, found) && findLibraryTime(input, found) && findMemoryNotUsed(input, found);
    if (!isWhole)
        return std::nullopt;
    const Scorer scorer(snapshot, found);
    for (Recommendation &item : found.items)
        item.score = scorer.relativeGain(item) * item.confidence / item.effort;
    std::erase_if(
        found.items, [&scorer](const Recommendation &item) { return scorer.relativeGain(item) < kLeastGain; });
    std::stable_sort(found.items.begin(), found.items.end(), [](const Recommendation &a, const Recommendation &b) {
        return std::tuple(a.score, a.gain.low) > std::tuple(b.score, b.gain.low);
    });
    found.sentence = sentenceFor(found);
    return found;
}

} // namespace model
