// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/aggregate/time_series.h"
#include "model/analysis/rules.h"

#include <fmt/format.h>

#include <algorithm>

namespace model {

namespace {

constexpr double kRetainedRatio = 2;
constexpr double kLeastRetained = 32.0 * 1024 * 1024;
constexpr double kFaultSeconds = 0.5e-6; ///< CPU time of a minor page fault, order of magnitude
constexpr double kFaultShare = 0.02;
constexpr Duration kLeastFaultSpan = Duration::fromMs(5000);

std::optional<double> meanOf(const TimeSeries &series, TimeRange span)
{
    double sum = 0;
    std::size_t count = 0;
    for (const std::vector<SeriesPoint> &segment : series.segments)
        for (const SeriesPoint &point : segment)
            if (span.begin < point.when && point.when <= span.end) {
                sum += point.value;
                ++count;
            }
    return count > 0 ? std::optional(sum / static_cast<double>(count)) : std::nullopt;
}

std::optional<double> valueAtEnd(const TimeSeries &series, TimeRange span)
{
    const std::optional<SeriesPoint> point = series.nearest(span.end);
    return point && span.begin < point->when ? std::optional(point->value) : std::nullopt;
}

/// Whether each image's heap was seen from its start: else memory of others would be taken for retained.
bool isHeapWhole(const ProgramTables &tables)
{
    return !tables.images.empty() && std::all_of(tables.images.begin(), tables.images.end(), [](const Image &image) {
        return image.heap == HeapState::Full;
    });
}

std::string processName(const Snapshot &snapshot)
{
    // An image whose start was seen when it had ended again has no name.
    const std::vector<Image> &images = snapshot.tables->images;
    for (auto image = images.rbegin(); image != images.rend(); ++image)
        if (const std::string_view name = fileNameOf(snapshot.tables->text(image->executable)); !name.empty())
            return std::string(name);
    return "the process";
}

void findRetained(const RuleInput &input, Recommendations &found)
{
    const Snapshot &snapshot = input.snapshot;
    if (!isHeapWhole(*snapshot.tables)) {
        found.notLookedAt.emplace_back("Retained memory: needs the whole heap of every program that ran.");
        return;
    }
    const std::optional<double> anonymous = valueAtEnd(timeSeries(snapshot, Metric::Anonymous), snapshot.span);
    const std::optional<double> live = valueAtEnd(timeSeries(snapshot, HeapQuantity::LiveBytes), snapshot.span);
    if (!anonymous || !live) {
        found.notLookedAt.emplace_back("Retained memory: needs anonymous memory and live heap of the same time.");
        return;
    }
    const double retained = *anonymous - *live;
    if (*anonymous < kRetainedRatio * *live || retained < kLeastRetained)
        return;
    const double ratio = *anonymous / std::max(*live, 1.0);
    Recommendation item{.rule = Rule::RetainedMemory,
        .title = fmt::format("{} holds {} of anonymous memory for {} of live heap", processName(snapshot),
            formatBytes(*anonymous), formatBytes(*live)),
        .place = processName(snapshot),
        .gainKind = GainKind::Bytes,
        .gain = {retained * 0.2, retained},
        .confidence = 0.4,
        .effort = 1,
        .advice = "After a phase that needed much memory, give it back (malloc_trim(0)), limit the arenas "
                  "(MALLOC_ARENA_MAX), or allocate long-lived "
                  "and short-lived blocks apart.",
        .check = "Anonymous memory should fall towards the live heap.",
        .caution
        = "Memory that is mapped without malloc (own pools, generated code, thread stacks) is in this difference too."};
    item.evidence.push_back({"anonymous memory", *anonymous, {}, Unit::Bytes, formatBytes(*anonymous)});
    item.evidence.push_back({"live heap", *live, {}, Unit::Bytes, formatBytes(*live)});
    item.evidence.push_back({"ratio", ratio, {}, Unit::Count, fmt::format("{:.1f}", ratio)});
    found.items.push_back(std::move(item));
}

void findPageFaults(const RuleInput &input, Recommendations &found)
{
    const Snapshot &snapshot = input.snapshot;
    const std::optional<double> faults = meanOf(timeSeries(snapshot, Metric::MinorFaults), snapshot.span);
    const std::optional<double> cpu = meanOf(timeSeries(snapshot, CpuQuantity::Used), snapshot.span);
    if (!faults || !cpu) {
        found.notLookedAt.emplace_back("Page faults: needs page faults and CPU use of the same time.");
        return;
    }
    // A program that only starts takes its faults once: they are no rate.
    if (snapshot.span.length() < kLeastFaultSpan) {
        found.notLookedAt.push_back(fmt::format("Page faults: needs {} of recording, there are {}.",
            formatDuration(kLeastFaultSpan), formatDuration(snapshot.span.length())));
        return;
    }
    const double cores = std::max(*cpu / 100, 1e-3);
    const double share = std::min(1.0, *faults * kFaultSeconds / cores);
    if (share < kFaultShare)
        return;
    Recommendation item{.rule = Rule::PageFaults,
        .title = fmt::format("{} takes {} page faults a second, about {} of its CPU time", processName(snapshot),
            formatShortCount(*faults), formatShare(share)),
        .place = processName(snapshot),
        .gainKind = GainKind::CpuShare,
        .gain = {share * 0.3, std::min(1.0, share * 2) * 0.8},
        .confidence = 0.4,
        .effort = 2,
        .advice = "Keep memory instead of giving it back and touching it anew: raise M_TRIM_THRESHOLD and "
                  "M_MMAP_THRESHOLD, reuse large "
                  "buffers, or use huge pages.",
        .check = "Minor page faults a second and system CPU time should fall.",
        .caution = "The time is estimated with 0.5 µs a fault, which depends on the machine."};
    item.evidence.push_back({"minor faults", *faults, {}, Unit::PerSecond, formatValue(*faults, Unit::PerSecond)});
    item.evidence.push_back({"CPU used", *cpu, {}, Unit::Percent, formatValue(*cpu, Unit::Percent)});
    found.items.push_back(std::move(item));
}

} // namespace

bool findMemoryNotUsed(const RuleInput &input, Recommendations &found)
{
    findRetained(input, found);
    findPageFaults(input, found);
    return !input.stop.stop_requested();
}

} // namespace model
