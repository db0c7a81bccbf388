// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/compare/work.h"

#include "model/aggregate/series_values.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

namespace model {

namespace {

struct CounterSource
{
    WorkCounter counter;
    SeriesSource source;
    double per; ///< of the source's unit times seconds
};

constexpr double kMiB = 1024.0 * 1024.0;
constexpr double kPercentSeconds = 100; ///< of a core
const std::array<CounterSource, 6> kCounters{{
    {{"allocations", "allocation"}, HeapQuantity::AllocationRate, 1},
    {{"cpu_seconds", "second of CPU time"}, CpuQuantity::Used, kPercentSeconds},
    {{"read_mib", "MiB read"}, Metric::ReadBytes, kMiB},
    {{"written_mib", "MiB written"}, Metric::WrittenBytes, kMiB},
    {{"page_faults", "page fault"}, Metric::MinorFaults, 1},
    {{"waits", "wait (voluntary switch)"}, Metric::VoluntarySwitches, 1},
}};

const CounterSource *counterSource(std::string_view key)
{
    const auto found = std::find_if(
        kCounters.begin(), kCounters.end(), [key](const CounterSource &each) { return each.counter.key == key; });
    return found == kCounters.end() ? nullptr : &*found;
}

/// Means over ticks times their lengths add up to what was counted.
double countedWithin(const Snapshot &snapshot, const CounterSource &counter)
{
    if (counter.source == SeriesSource(HeapQuantity::AllocationRate))
        return static_cast<double>(snapshot.heapSummary.allocations);
    double sum = 0;
    for (const SeriesPoint &point : seriesValues(snapshot, counter.source, snapshot.selection.process)) {
        if (point.when <= snapshot.span.begin || snapshot.span.end < point.when)
            continue;
        const auto end = std::lower_bound(snapshot.tickEnds.begin(), snapshot.tickEnds.end(), point.when);
        const Timestamp begin = end == snapshot.tickEnds.begin() ? Timestamp{} : *std::prev(end);
        sum += point.value * (point.when - begin).seconds();
    }
    return sum / counter.per;
}

/// Names for a message, a few of them.
std::string listed(const std::set<std::string> &names)
{
    constexpr std::size_t kMost = 8;
    std::string text;
    std::size_t count = 0;
    for (const std::string &name : names) {
        if (count++ == kMost)
            return text + ", …";
        text += (text.empty() ? "\"" : ", \"") + name + '"';
    }
    return text.empty() ? "none" : text;
}

Result<double> counted(
    std::size_t count, const char *what, const Normalisation &wish, const std::set<std::string> &names)
{
    if (count > 0)
        return static_cast<double>(count);
    return Error(
        fmt::format("There is no {} \"{}\" in the selected time; there are: {}", what, wish.name, listed(names)));
}

Result<double> workOfCounter(const Snapshot &snapshot, const std::string &key)
{
    const CounterSource *counter = counterSource(key);
    if (counter == nullptr) {
        std::set<std::string> keys;
        for (const CounterSource &each : kCounters)
            keys.emplace(each.counter.key);
        return Error(fmt::format("There is no counter \"{}\"; there are: {}", key, listed(keys)));
    }
    const double count = countedWithin(snapshot, *counter);
    if (count > 0)
        return count;
    return Error(
        fmt::format("No {} was counted in the selected time, so nothing can be divided by it", counter->counter.label));
}

} // namespace

Result<double> workOf(const Snapshot &snapshot, const Normalisation &normalisation)
{
    std::set<std::string> names;
    std::size_t count = 0;
    switch (normalisation.per) {
    case PerWork::Nothing:
        return 1.0;
    case PerWork::Second:
        if (snapshot.span.isEmpty())
            return Error("The recording lasted no time, so nothing can be divided by it");
        return snapshot.span.length().seconds();
    case PerWork::Mark:
        for (const Mark &mark : snapshot.marks) {
            if (mark.when < snapshot.span.begin || snapshot.span.end < mark.when)
                continue;
            names.insert(mark.text);
            count += mark.text == normalisation.name ? 1 : 0;
        }
        return counted(count, "mark", normalisation, names);
    case PerWork::Phase:
        for (const Phase &phase : snapshot.phases) {
            if (!phase.end || *phase.end < snapshot.span.begin || snapshot.span.end < *phase.end)
                continue;
            names.insert(phase.name);
            count += phase.name == normalisation.name ? 1 : 0;
        }
        return counted(count, "phase", normalisation, names);
    case PerWork::Counter:
        return workOfCounter(snapshot, normalisation.name);
    }
    return 1.0;
}

std::vector<Normalisation> possibleWork(const Snapshot &snapshot)
{
    std::set<std::string> marks;
    std::set<std::string> phases;
    for (const Mark &mark : snapshot.marks)
        if (!mark.text.empty() && snapshot.span.begin <= mark.when && mark.when <= snapshot.span.end)
            marks.insert(mark.text);
    for (const Phase &phase : snapshot.phases)
        if (!phase.name.empty() && phase.end && snapshot.span.begin <= *phase.end && *phase.end <= snapshot.span.end)
            phases.insert(phase.name);
    std::vector<Normalisation> possible;
    for (const std::string &mark : marks)
        possible.push_back({PerWork::Mark, mark});
    for (const std::string &phase : phases)
        possible.push_back({PerWork::Phase, phase});
    for (const CounterSource &each : kCounters)
        if (countedWithin(snapshot, each) > 0)
            possible.push_back({PerWork::Counter, std::string(each.counter.key)});
    return possible;
}

std::span<const WorkCounter> workCounters()
{
    static const std::vector<WorkCounter> counters = [] {
        std::vector<WorkCounter> all;
        for (const CounterSource &each : kCounters)
            all.push_back(each.counter);
        return all;
    }();
    return counters;
}

std::string perWorkText(const Normalisation &normalisation)
{
    switch (normalisation.per) {
    case PerWork::Nothing:
        return {};
    case PerWork::Second:
        return "per second";
    case PerWork::Mark:
        return fmt::format("per mark \"{}\"", normalisation.name);
    case PerWork::Phase:
        return fmt::format("per phase \"{}\"", normalisation.name);
    case PerWork::Counter: {
        const CounterSource *counter = counterSource(normalisation.name);
        return fmt::format("per {}", counter ? counter->counter.label : std::string_view(normalisation.name));
    }
    }
    return {};
}

} // namespace model
