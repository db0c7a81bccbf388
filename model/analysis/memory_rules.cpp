// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/aggregate/memory_parts.h"
#include "model/aggregate/time_series.h"
#include "model/analysis/rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

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

/// Memory that is not live heap, and is there all the same.
struct Retained
{
    double live = 0;    ///< bytes, at most
    Interval held;      ///< beside it
    bool isHeap = true; ///< all of it is the allocator's
};

/// All through the last third: what was freed a moment ago is not retained. Where pages were looked at, what the allocator holds is known; else all
/// anonymous memory has to stand for it.
std::optional<Retained> retainedLately(const Snapshot &snapshot)
{
    const auto live = valuesLately(timeSeries(snapshot, HeapQuantity::LiveBytes), snapshot.span);
    if (!live)
        return std::nullopt;
    if (!snapshot.memoryParts.empty()) {
        for (const MemoryPart &part : memoryParts(snapshot))
            if (const auto held = valuesLately(part.series, snapshot.span); held && part.key == kAllocatorPart)
                return Retained{live->high, *held};
        return Retained{live->high, {0, 0}};
    }
    const auto anonymous = valuesLately(timeSeries(snapshot, Metric::Anonymous), snapshot.span);
    if (!anonymous)
        return std::nullopt;
    const double held = std::max(0.0, anonymous->low - live->high);
    return Retained{live->high, {held, held}, false};
}

void findRetained(const RuleInput &input, Recommendations &found)
{
    const Snapshot &snapshot = input.snapshot;
    if (!isHeapWhole(*snapshot.tables)) {
        found.notLookedAt.emplace_back("Retained memory: needs the whole heap of every program that ran.");
        return;
    }
    const auto lately = retainedLately(snapshot);
    if (!lately) {
        found.notLookedAt.emplace_back("Retained memory: needs anonymous memory and live heap of the same time.");
        return;
    }
    const double all = lately->live + lately->held.low;
    if (all < kRetainedRatio * lately->live || lately->held.low < kLeastRetained)
        return;
    const char *what = lately->isHeap ? "heap" : "anonymous memory";
    Recommendation item = itemOf(kRetainedMemoryRule, processName(snapshot),
        fmt::format("{} of {} for {} of live blocks", formatBytes(all), what, formatBytes(lately->live)));
    item.gainKind = GainKind::Bytes;
    item.gain = {lately->held.low * 0.2, lately->held.high};
    if (lately->isHeap)
        item.caution.clear(); // what is mapped without malloc is not in it
    item.evidence.push_back({fmt::format("{}, at least", what), all, {}, Unit::Bytes, formatBytes(all)});
    item.evidence.push_back({"live heap, at most", lately->live, {}, Unit::Bytes, formatBytes(lately->live)});
    const double ratio = all / std::max(lately->live, 1.0);
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

/// Whether a process started another in a time: after that it faults on pages that it only shares until they are written.
bool hasForked(const Snapshot &snapshot, ProcessId process, TimeRange span)
{
    const std::vector<Process> &all = snapshot.tables->processes;
    return std::any_of(all.begin(), all.end(), [&](const Process &child) {
        return child.parent == process && span.begin < child.start && child.start <= span.end;
    });
}

/// Page faults a second, step by step, beyond those that made resident memory grow: of pages that were there before, were given back, and are
/// taken anew. Without a process's start, and without what it does after it forked.
std::vector<double> faultsWithoutGrowth(const Snapshot &snapshot)
{
    constexpr double kPageBytes = 4096;
    std::map<Timestamp, double> rates;
    for (const MetricSeries &series : snapshot.metrics) {
        if (snapshot.selection.process && series.process != *snapshot.selection.process)
            continue;
        const Timestamp born = snapshot.tables->processes.at(series.process.index()).start;
        const Timestamp begin
            = std::max(born, snapshot.span.begin) + std::max(kStart, Duration{snapshot.span.length().ns / 5});
        const bool hasRss = std::any_of(series.values.begin(), series.values.end(),
            [](const MetricValues &values) { return values.get(Metric::Rss).has_value(); });
        for (std::size_t i = 1; i < series.times.size(); ++i) {
            const TimeRange step{series.times[i - 1], series.times[i]};
            const std::optional<std::int64_t> faults = series.values[i].get(Metric::MinorFaults);
            const std::optional<std::int64_t> before = series.values[i - 1].get(Metric::Rss),
                                              after = series.values[i].get(Metric::Rss);
            if (!faults || step.begin < begin || snapshot.span.end < step.end || step.isEmpty()
                || (hasRss && (!before || !after)) || hasForked(snapshot, series.process, step))
                continue;
            const auto grown = static_cast<double>(std::max<std::int64_t>(after.value_or(0) - before.value_or(0), 0));
            rates[step.end]
                += std::max(static_cast<double>(*faults) - grown / kPageBytes / step.length().seconds(), 0.0);
        }
    }
    std::vector<double> values;
    for (const auto &[when, rate] : rates)
        values.push_back(rate);
    return values;
}

/// By counts alone, for where the kernel's stacks were not recorded; with them the rule page_faults names the place.
void findPageFaults(const RuleInput &input, Recommendations &found)
{
    const Snapshot &snapshot = input.snapshot;
    if (hasKernelStacks(*snapshot.tables))
        return;
    const std::vector<double> faults = faultsWithoutGrowth(snapshot);
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
        fmt::format("{} page faults a second all along on memory that it had before, about {} of its CPU time",
            formatShortCount(rate), formatShare(share)));
    item.gainKind = GainKind::CpuShare;
    const Interval cost{share / 2, std::min(1.0, share * 2)}; // the time of a fault is known to an order of magnitude
    item.gain = {share * 0.3, cost.high * 0.8};
    item.evidence.push_back(
        {"their share of the CPU time, about", share * 100, Interval{cost.low * 100, cost.high * 100}, Unit::Percent,
            fmt::format("{:.1f}–{:.1f} %", cost.low * 100, cost.high * 100)});
    item.evidence.push_back(
        {"minor faults beyond growth, median", rate, {}, Unit::PerSecond, formatValue(rate, Unit::PerSecond)});
    item.evidence.push_back({"CPU used, median", used, {}, Unit::Percent, formatValue(used, Unit::Percent)});
    found.items.push_back(std::move(item));
}

} // namespace

std::string processName(const Snapshot &snapshot)
{
    // An image whose start was seen when it had ended again has no name.
    const std::vector<Image> &images = snapshot.tables->images;
    for (auto image = images.rbegin(); image != images.rend(); ++image)
        if (const std::string_view name = snapshot.tables->programName(*image); !name.empty())
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
