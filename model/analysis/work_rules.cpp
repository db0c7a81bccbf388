// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/aggregate/own_code.h"
#include "model/analysis/rules.h"
#include "model/analysis/share_interval.h"
#include "model/analysis/work_finder.h"
#include "model/base/format_counted.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace model {

namespace {

constexpr std::int64_t kLeastSamples = 100;
constexpr std::int64_t kLeastTimeNs = 100'000'000; ///< less is not worth changing, and what starting costs anyway
constexpr std::int64_t kManySamples = 20;          ///< of a kind of work: fewer say nothing at all
constexpr std::size_t kMostPlaces = 3;             ///< of one rule

struct Share
{
    double value = 0;
    Interval interval;
    std::int64_t samples = 0;
};

/// Sums of time as shares of the program's, with the interval that the number of samples behind them leaves.
class Shares
{
public:
    Shares(const RuleInput &input, const WorkFinder &finder)
        : m_all(finder.allNs())
    {
        const CpuSummary &cpu = input.snapshot.cpuSummary;
        if (cpu.timeNs > 0)
            m_samples = std::llround(
                static_cast<double>(cpu.samples) * static_cast<double>(m_all) / static_cast<double>(cpu.timeNs));
    }

    Share of(std::int64_t timeNs) const
    {
        const double value = m_all > 0 ? static_cast<double>(timeNs) / static_cast<double>(m_all) : 0;
        const std::int64_t hits = std::llround(value * static_cast<double>(m_samples));
        return {value, wilsonInterval(hits, m_samples), hits};
    }
    std::int64_t samples() const { return m_samples; }

private:
    std::int64_t m_all = 0;
    std::int64_t m_samples = 0;
};

/// What the heap says of the same place: how many of all allocations are made there.
void addAllocations(const RuleInput &input, const StackLine &place, Recommendation &item)
{
    const HeapSummary &all = input.snapshot.heapSummary;
    if (all.allocations == 0 || place.name.empty())
        return;
    std::int64_t allocations = 0;
    for (const HeapCost &row : input.snapshot.heap) {
        if (row.allocations * 1000 < all.allocations)
            continue;
        const StackLine own = ownLine(input.functions, row.stack);
        if (own.name == place.name && own.modulePath == place.modulePath)
            allocations += row.allocations;
    }
    if (allocations * 100 < all.allocations)
        return;
    item.evidence.push_back({"allocations there", static_cast<double>(allocations), {}, Unit::Count,
        fmt::format("{}, {} of all", formatCount(allocations), formatShareOf(allocations, all.allocations))});
}

/// `whole`: share of the place with all that it calls of libraries. What the advice changes is the place, so its gain can be more than the
/// work that was recognised (what it destroys again, what it evicts from the caches), but not more than that.
Recommendation itemFor(
    const RuleInput &input, const WorkRule &rule, const WorkPlace &place, const Share &share, const Share &whole)
{
    const std::string name = rule.isAboutProgram ? place.line.moduleName : shortFunctionName(place.line.name);
    const std::string text = shareText(share.value, share.interval);
    const auto heaviest = std::max_element(place.functions.begin(), place.functions.end(),
        [](const auto &a, const auto &b) { return a.second < b.second; });
    Recommendation item = itemOf(rule.data, name, text);
    item.where = shortPlace(place.line.file, place.line.line);
    item.module = place.line.moduleName;
    item.stack = place.heaviest;
    item.cost = CostKind::CpuTime;
    item.depth = rule.depth == WorkDepth::Symptom ? 2 : 0;
    item.gainKind = GainKind::CpuShare;
    item.gain = amdahl({share.interval.low, std::max(share.interval.high, whole.interval.high)}, rule.data.speedUp);
    // Few samples leave a wide interval, and less trust.
    item.confidence *= std::min(1.0, 0.6 + static_cast<double>(share.samples) / 500);
    item.evidence.push_back({"share of the CPU time", share.value * 100,
        Interval{share.interval.low * 100, share.interval.high * 100}, Unit::Percent, text});
    if (whole.interval.high > share.interval.high)
        addWholeOfPlace(whole.interval, item);
    item.evidence.push_back({"CPU time", static_cast<double>(place.timeNs) / 1e9, {}, Unit::Count,
        fmt::format("{}, {}", formatDuration({place.timeNs}), formatCounted(share.samples, "sample"))});
    item.evidence.push_back({"most of it in", static_cast<double>(heaviest->second) / 1e9, {}, Unit::Count,
        fmt::format("{} ({})", heaviest->first, formatShareOf(heaviest->second, place.timeNs))});
    addAllocations(input, place.line, item);
    return item;
}

/// A place that would be worth a word if there were more samples.
void addUndecided(
    const RuleInput &input, const WorkRule &rule, const WorkPlace &place, const Share &share, Recommendations &found)
{
    const std::uint32_t hz = input.snapshot.info.config.cpuHz;
    if (share.value < rule.leastShare || share.samples < kManySamples)
        return;
    found.notLookedAt.push_back(
        fmt::format("{}: {} has {} of the CPU time in it, which {} samples cannot tell from less "
                    "than {}: needs {}to say.",
            rule.data.label, rule.isAboutProgram ? place.line.moduleName : shortFunctionName(place.line.name),
            shareText(share.value, share.interval), formatCount(share.samples), formatShare(rule.leastShare),
            hz < 999 ? "--cpu 999 " : "a longer recording "));
}

void apply(const RuleInput &input, const WorkRule &rule, WorkFinder &finder, Recommendations &found)
{
    if (finder.threads() < rule.leastThreads)
        return;
    const Shares shares(input, finder);
    std::size_t count = 0;
    for (const WorkPlace &place : finder.find(rule)) {
        const Share share = shares.of(place.timeNs);
        const bool isMarked = rule.markers.empty() || shares.of(place.markerNs).value >= rule.leastMarkerShare;
        if (!isMarked || place.timeNs < kLeastTimeNs || count == kMostPlaces)
            continue;
        if (share.interval.low < rule.leastShare) {
            addUndecided(input, rule, place, share, found);
            continue;
        }
        const Share whole = rule.isAboutProgram
            ? Share{1, {1, 1}, 0}
            : shares.of(finder.timeAt(place.line.name, place.line.modulePath).allNs);
        found.items.push_back(itemFor(input, rule, place, share, whole));
        finder.claim(place);
        ++count;
    }
}

} // namespace

std::string shareText(double share, const Interval &interval)
{
    return fmt::format("{} ({:.1f}–{:.1f})", formatShare(share), interval.low * 100, interval.high * 100);
}

void addWholeOfPlace(const Interval &share, Recommendation &item)
{
    item.evidence.push_back(
        {"CPU time of the place in all", (share.low + share.high) * 50, Interval{share.low * 100, share.high * 100},
            Unit::Percent, fmt::format("{:.1f}–{:.1f} %", share.low * 100, share.high * 100)});
}

Interval amdahl(const Interval &share, SpeedUp speedUp)
{
    return {share.low * (1 - 1 / speedUp.least), share.high * (1 - 1 / speedUp.most)};
}

bool findWork(const RuleInput &input, Recommendations &found)
{
    const std::int64_t samples = input.snapshot.cpuSummary.samples;
    if (samples < kLeastSamples) {
        found.notLookedAt.push_back(input.snapshot.info.config.cpuHz == 0
                ? std::string("What the CPU time is spent on: CPU samples were not recorded (--cpu off).")
                : fmt::format(
                    "What the CPU time is spent on: needs {} samples, there are {}; record more work, or with "
                    "--cpu 999.",
                    kLeastSamples, formatCount(samples)));
        return true;
    }
    WorkFinder finder(input);
    for (const WorkRule *rule : workRules()) {
        if (input.stop.stop_requested())
            return false;
        apply(input, *rule, finder, found);
    }
    return true;
}

} // namespace model
