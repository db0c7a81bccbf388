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
constexpr Duration kStart = Duration::fromMs(1000); ///< or a fifth of the time, if that is more
constexpr std::size_t kLeastFaultSteps = 8;

/// Least and greatest value of the last third of the time; nothing without values there.
std::optional<Interval> valuesLately(const TimeSeries &series, TimeRange span)
{
    std::optional<Interval> values;
    const Timestamp begin = span.end - Duration{span.length().ns / 3};
    for (const std::vector<SeriesPoint> &segment : series.segments)
        for (const SeriesPoint &point : segment)
            if (begin < point.when && point.when <= span.end)
                values = values ? Interval{std::min(values->low, point.value), std::max(values->high, point.value)}
                                : Interval{point.value, point.value};
    return values;
}

bool hasKernelStacks(const ProgramTables &tables)
{
    // The kernel itself; what names system calls and waits is a module of that kind too.
    return std::any_of(tables.modules.begin(), tables.modules.end(), [&tables](const Module &module) {
        return module.kind == ModuleKind::Kernel && tables.text(module.path) == "[kernel]";
    });
}

/// Whether each image's heap was seen from its start: else memory of others would be taken for retained.
bool isHeapWhole(const ProgramTables &tables)
{
    return !tables.images.empty() && std::all_of(tables.images.begin(), tables.images.end(), [](const Image &image) {
        return image.heap == HeapState::Full;
    });
}

void findRetained(const RuleInput &input, Recommendations &found)
{
    const Snapshot &snapshot = input.snapshot;
    if (!isHeapWhole(*snapshot.tables)) {
        found.notLookedAt.emplace_back("Retained memory: needs the whole heap of every program that ran.");
        return;
    }
    // All through the last third: what was freed a moment ago is not retained.
    const auto anonymousLately = valuesLately(timeSeries(snapshot, Metric::Anonymous), snapshot.span);
    const auto liveLately = valuesLately(timeSeries(snapshot, HeapQuantity::LiveBytes), snapshot.span);
    if (!anonymousLately || !liveLately) {
        found.notLookedAt.emplace_back("Retained memory: needs anonymous memory and live heap of the same time.");
        return;
    }
    const double anonymous = anonymousLately->low;
    const double live = liveLately->high;
    const double retained = anonymous - live;
    if (anonymous < kRetainedRatio * live || retained < kLeastRetained)
        return;
    const double ratio = anonymous / std::max(live, 1.0);
    Recommendation item = itemOf(kRetainedMemoryRule, processName(snapshot),
        fmt::format("{} of anonymous memory for {} of live heap", formatBytes(anonymous), formatBytes(live)));
    item.gainKind = GainKind::Bytes;
    item.gain = {retained * 0.2, retained};
    item.evidence.push_back({"anonymous memory, at least", anonymous, {}, Unit::Bytes, formatBytes(anonymous)});
    item.evidence.push_back({"live heap, at most", live, {}, Unit::Bytes, formatBytes(live)});
    item.evidence.push_back({"ratio", ratio, {}, Unit::Count, fmt::format("{:.1f}", ratio)});
    found.items.push_back(std::move(item));
}

/// Values of a metric of all processes, step by step, without the start: loading and first touching is done once.
std::vector<double> steadyValues(const TimeSeries &series, TimeRange span)
{
    const Timestamp begin = span.begin + std::max(kStart, Duration{span.length().ns / 5});
    std::vector<double> values;
    for (const std::vector<SeriesPoint> &segment : series.segments)
        for (const SeriesPoint &point : segment)
            if (begin < point.when && point.when <= span.end)
                values.push_back(point.value);
    return values;
}

double medianOf(std::vector<double> values)
{
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

/// By counts alone, for where the kernel's stacks were not recorded; with them the rule page_faults names the place.
void findPageFaults(const RuleInput &input, Recommendations &found)
{
    const Snapshot &snapshot = input.snapshot;
    if (hasKernelStacks(*snapshot.tables))
        return;
    const std::vector<double> faults = steadyValues(timeSeries(snapshot, Metric::MinorFaults), snapshot.span);
    const std::vector<double> cpu = steadyValues(timeSeries(snapshot, CpuQuantity::Used), snapshot.span);
    if (faults.size() < kLeastFaultSteps || cpu.size() < kLeastFaultSteps) {
        found.notLookedAt.push_back(
            fmt::format("Page faults: needs {} ticks after the start, there are {}.", kLeastFaultSteps, faults.size()));
        return;
    }
    // The median: a burst, however high, is no rate.
    const double rate = medianOf(faults);
    const double used = medianOf(cpu);
    const double share = std::min(1.0, rate * kFaultSeconds / std::max(used / 100, 1e-3));
    if (share < kFaultShare)
        return;
    Recommendation item = itemOf(kPageFaultRateRule, processName(snapshot),
        fmt::format(
            "{} page faults a second all along, about {} of its CPU time", formatShortCount(rate), formatShare(share)));
    item.gainKind = GainKind::CpuShare;
    item.gain = {share * 0.3, std::min(1.0, share * 2) * 0.8};
    item.evidence.push_back({"minor faults, median", rate, {}, Unit::PerSecond, formatValue(rate, Unit::PerSecond)});
    item.evidence.push_back({"CPU used, median", used, {}, Unit::Percent, formatValue(used, Unit::Percent)});
    found.items.push_back(std::move(item));
}

} // namespace

std::string processName(const Snapshot &snapshot)
{
    // An image whose start was seen when it had ended again has no name.
    const std::vector<Image> &images = snapshot.tables->images;
    for (auto image = images.rbegin(); image != images.rend(); ++image)
        if (const std::string_view name = fileNameOf(snapshot.tables->text(image->executable)); !name.empty())
            return std::string(name);
    return "the process";
}

bool findMemoryNotUsed(const RuleInput &input, Recommendations &found)
{
    findRetained(input, found);
    findPageFaults(input, found);
    return !input.stop.stop_requested();
}

} // namespace model
