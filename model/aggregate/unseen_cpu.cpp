// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/aggregate/unseen_cpu.h"

#include "model/aggregate/time_series.h"
#include "model/base/covered_time.h"
#include "model/base/format_counted.h"
#include "model/base/format_units.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace model {

namespace {

/// Of a time, how much nobody looked at the program in.
std::int64_t unwatchedNs(const std::vector<Gap> &gaps, TimeRange time)
{
    // Gaps overlap: a recorder is stopped while it pauses.
    std::vector<TimeRange> unwatched;
    for (const Gap &gap : gaps)
        if (gap.kind != GapKind::TargetStopped && gap.span.intersects(time))
            unwatched.push_back({std::max(gap.span.begin, time.begin), std::min(gap.span.end, time.end)});
    return coveredTime(std::move(unwatched)).ns;
}

} // namespace

std::optional<Duration> kernelCpuTime(const Snapshot &snapshot)
{
    return snapshot.selection.thread ? std::nullopt : std::optional(kernelCpuTimeOfProcesses(snapshot));
}

Duration kernelCpuTimeOfProcesses(const Snapshot &snapshot)
{
    double usedNs = 0;
    Timestamp before;
    for (const auto &segment : timeSeries(snapshot, CpuQuantity::Used).segments)
        for (const SeriesPoint &point : segment) {
            const bool isSelected = snapshot.span.begin < point.when && point.when <= snapshot.span.end;
            const std::int64_t watchedNs = std::max<std::int64_t>(
                (point.when - before).ns - unwatchedNs(snapshot.gaps, {before, point.when}), 0);
            usedNs += isSelected ? point.value / 100 * static_cast<double>(watchedNs) : 0;
            before = point.when;
        }
    return Duration{static_cast<std::int64_t>(usedNs)};
}

std::int64_t missedSamples(const Snapshot &snapshot)
{
    const Selection &selection = snapshot.selection;
    std::int64_t missed = 0;
    if (!selection.time && !selection.process && !selection.thread)
        for (const LossTotal &loss : snapshot.losses)
            missed += loss.kind == LossKind::SamplesMissed ? loss.count : 0;
    return missed;
}

Duration missedCpuTime(const Snapshot &snapshot)
{
    const std::int64_t hz = snapshot.info.config.cpuHz;
    return {hz > 0 ? missedSamples(snapshot) * 1'000'000'000 / hz : 0};
}

SampleBase sampleBase(const Snapshot &snapshot) { return {snapshot.cpuSummary.samples, missedSamples(snapshot)}; }

namespace {

std::string lostText(const Snapshot &snapshot, const std::string &lost)
{
    const bool isOfMore = snapshot.cpuSummary.lost > 0 && (snapshot.selection.process || snapshot.selection.thread);
    return lost + (isOfMore ? " lost by all processes" : " lost");
}

} // namespace

std::string lostSamplesText(const Snapshot &snapshot)
{
    return lostText(snapshot, formatCount(snapshot.cpuSummary.lost));
}

std::string lostSamplesWords(const Snapshot &snapshot)
{
    return lostText(snapshot, formatCounted(snapshot.cpuSummary.lost, "CPU sample"));
}

std::string missedSamplesText(const Snapshot &snapshot)
{
    const std::int64_t missed = missedSamples(snapshot);
    if (missed == 0)
        return {};
    return fmt::format(
        "{} {} due of threads that ended before one was taken, about {} of CPU time: whose it was is not "
        "known, and the intervals leave room for it. Sampling faster sees more (--cpu 9999).",
        formatCounted(missed, "more sample"), missed == 1 ? "was" : "were", formatDuration(missedCpuTime(snapshot)));
}

} // namespace model
