// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/recommendations.h"

#include "model/aggregate/time_series.h"
#include "model/analysis/rules.h"
#include "model/base/format_counted.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

namespace model {

namespace {

constexpr double kLeastGain = 0.01;
constexpr double kExplained = 0.5;         ///< a cause explains a symptom when it has at least this part of its gain
constexpr double kGrowthHorizonHours = 24; ///< growth is weighed by what it will hold by then
constexpr double kUnknownAllocationCost = 0.1; ///< share of the CPU time in malloc and free where it was not measured

/// Turns gains of all kinds into shares of what the program has: memory or time.
class Scorer
{
public:
    Scorer(const Snapshot &snapshot, const Recommendations &found)
    {
        m_memory = memoryHeld(snapshot);
        for (const Recommendation &item : found.items)
            if (item.rule == "allocator_time" && !item.evidence.empty())
                m_allocatorShare = item.evidence.front().value / 100;
        if (snapshot.cpuSummary.samples == 0)
            m_allocatorShare = std::max(m_allocatorShare, kUnknownAllocationCost);
    }

    /// A gain of this item as a share of all, 0 to 1.
    double relative(const Recommendation &item, double gain) const
    {
        switch (item.gainKind) {
        case GainKind::CpuShare:
        case GainKind::TimeShare:
            return std::clamp(gain, 0.0, 1.0);
        case GainKind::Bytes:
            return std::clamp(gain / m_memory, 0.0, 1.0);
        case GainKind::BytesPerHour:
            return std::clamp(gain * kGrowthHorizonHours / m_memory, 0.0, 1.0);
        case GainKind::AllocationShare:
            return std::clamp(gain * std::max(m_allocatorShare, 0.05), 0.0, 1.0);
        }
        return 0;
    }

    double expected(const Recommendation &item) const
    {
        return (relative(item, item.gain.low) + relative(item, item.gain.high)) / 2;
    }

private:
    double m_memory = 1;
    double m_allocatorShare = 0;
};

/// Leaves out what only describes the work of a place whose cause is known.
void dropSymptoms(std::vector<Recommendation> &items)
{
    const std::vector<Recommendation> all = items;
    std::erase_if(items, [&all](const Recommendation &item) {
        return std::any_of(all.begin(), all.end(), [&item](const Recommendation &other) {
            return other.depth < item.depth && other.gainKind == item.gainKind && other.place == item.place
                && other.module == item.module && other.gain.high >= kExplained * item.gain.high;
        });
    });
}

std::string sentenceFor(const Recommendations &found)
{
    const std::string seen
        = fmt::format("looked at {} for {}", formatCounted(found.stacksSeen, "stack"), formatDuration(found.timeSeen));
    if (found.items.empty())
        return "Nothing found, " + seen + '.';
    return fmt::format(
        "{} {} worth changing; {}.", found.items.size(), found.items.size() == 1 ? "thing" : "things", seen);
}

} // namespace

double memoryHeld(const Snapshot &snapshot)
{
    const std::optional<SeriesPoint> rss = timeSeries(snapshot, Metric::Rss).last();
    return std::max({1.0, rss ? rss->value : 0, static_cast<double>(snapshot.heapSummary.liveBytes)});
}

std::string recommendationId(const Recommendation &item)
{
    return fmt::format("{}|{}|{}", item.rule, item.module, item.place);
}

Recommendation itemOf(const RuleData &rule, const std::string &place, const std::string &what)
{
    const auto filled = [&](std::string_view text) {
        return fmt::format(
            fmt::runtime(text), fmt::arg("place", place), fmt::arg("share", what), fmt::arg("what", what));
    };
    return {.rule = rule.key,
        .label = rule.label,
        .title = filled(rule.title),
        .place = place,
        .confidence = rule.confidence,
        .effort = rule.effort,
        .advice = filled(rule.advice),
        .check = std::string(rule.check),
        .caution = std::string(rule.caution)};
}

std::optional<Recommendations> recommendations(const Snapshot &snapshot, std::stop_token stop)
{
    Recommendations found{.stacksSeen
        = static_cast<std::int64_t>(snapshot.heap.size() + snapshot.cpu.size() + snapshot.activities.size()),
        .timeSeen = snapshot.span.length()};
    FunctionIndex functions(snapshot.tables);
    const RuleInput input{snapshot, functions, stop};
    const bool isWhole = findGrowingStacks(input, found) && findWork(input, found)
        && findTemporaryAllocations(input, found) && findMemoryNotUsed(input, found) && findProcessChurn(input, found)
        && findActivity(input, found);
    if (!isWhole)
        return std::nullopt;
    const Scorer scorer(snapshot, found);
    for (Recommendation &item : found.items)
        item.score = scorer.relative(item, item.gain.low) * item.confidence / item.effort;
    std::erase_if(found.items, [&scorer](const Recommendation &item) { return scorer.expected(item) < kLeastGain; });
    dropSymptoms(found.items);
    std::stable_sort(found.items.begin(), found.items.end(), [](const Recommendation &a, const Recommendation &b) {
        return std::tuple(a.score, a.gain.low) > std::tuple(b.score, b.gain.low);
    });
    found.sentence = sentenceFor(found);
    return found;
}

} // namespace model
