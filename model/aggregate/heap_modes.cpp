// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/aggregate/heap_modes.h"

#include "model/base/format_units.h"
#include "model/heap_mode.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace model {

namespace {

/// When the image ended, if it has.
std::optional<Timestamp> endOf(const Snapshot &snapshot, ImageId image)
{
    const Image &row = snapshot.tables->images.at(image.index());
    return row.end ? row.end : snapshot.tables->processes.at(row.process.index()).end;
}

constexpr Duration kCleaningUp{1'000'000'000};
constexpr std::int64_t kLeastPart = 10;

/// From when on the programs may have been ending: a tick before the last one's end, and a second where the recording is long enough. Empty
/// while one may still run.
std::optional<Timestamp> endOfWork(const Snapshot &snapshot)
{
    std::optional<Timestamp> end;
    for (const Process &process : snapshot.tables->processes) {
        if (!process.end)
            return std::nullopt;
        end = std::max(end.value_or(*process.end), *process.end);
    }
    if (!end)
        return std::nullopt;
    const Duration second = std::min(kCleaningUp, Duration{snapshot.info.duration.ns / kLeastPart});
    return Timestamp{end->ns - std::max(snapshot.info.config.tick, second).ns};
}

template <typename IsLeftOut> void leaveOut(TimeSeries &series, const IsLeftOut &isLeftOut)
{
    for (std::vector<SeriesPoint> &segment : series.segments)
        std::erase_if(segment, isLeftOut);
    std::erase_if(series.segments, [](const std::vector<SeriesPoint> &segment) { return segment.empty(); });
}

} // namespace

std::vector<HeapModeSpan> heapModeSpans(const Snapshot &snapshot)
{
    std::vector<HeapModeSpan> spans;
    const std::vector<HeapModeChange> &changes = snapshot.heapModes;
    for (std::size_t i = 0; i < changes.size(); ++i) {
        const HeapModeChange &change = changes[i];
        Timestamp end = endOf(snapshot, change.image).value_or(Timestamp{snapshot.info.duration.ns});
        if (i + 1 < changes.size() && changes[i + 1].image == change.image)
            end = changes[i + 1].when;
        spans.push_back({change.image, {change.when, std::max(end, change.when)}, change.periodBytes, change.cause});
    }
    return spans;
}

std::vector<HeapModeChange> heapStepsIn(const Snapshot &snapshot, TimeRange range)
{
    std::vector<HeapModeChange> steps;
    for (const HeapModeChange &change : snapshot.heapModes)
        if (change.cause != HeapModeCause::Begin && range.begin <= change.when && change.when <= range.end)
            steps.push_back(change);
    std::stable_sort(
        steps.begin(), steps.end(), [](const HeapModeChange &a, const HeapModeChange &b) { return a.when < b.when; });
    return steps;
}

TimeRange withoutHeapSteps(const Snapshot &snapshot, TimeRange range)
{
    const std::vector<HeapModeChange> steps = heapStepsIn(snapshot, range);
    return steps.empty() ? range : TimeRange{steps.back().when, range.end};
}

Duration leftOutBehind(Duration judged, Duration tick)
{
    return std::max(tick, std::min(kCleaningUp, Duration{judged.ns / (kLeastPart - 1)}));
}

TimeSeries judgedSeries(
    const Snapshot &snapshot, const SeriesSource &source, TimeRange range, std::optional<ProcessId> process)
{
    TimeSeries series = timeSeries(snapshot, source, process);
    if (const auto end = endOfWork(snapshot))
        leaveOut(series, [&](const SeriesPoint &point) { return point.when > *end; });
    const auto *quantity = std::get_if<HeapQuantity>(&source);
    const bool isLive = quantity && (*quantity == HeapQuantity::LiveBytes || *quantity == HeapQuantity::LiveBlocks);
    const std::vector<HeapModeChange> steps = isLive ? heapStepsIn(snapshot, range) : std::vector<HeapModeChange>();
    if (!steps.empty())
        leaveOut(series, [&](const SeriesPoint &point) { return point.when <= steps.back().when; });
    return series;
}

std::int64_t periodBefore(const Snapshot &snapshot, const HeapModeChange &change)
{
    std::int64_t before = 1;
    for (const HeapModeChange &other : snapshot.heapModes)
        if (other.image == change.image && other.when < change.when)
            before = other.periodBytes;
    return before;
}

std::optional<std::int64_t> heapPeriodAt(
    const Snapshot &snapshot, const std::vector<HeapModeSpan> &spans, ProcessId process, Timestamp when)
{
    std::optional<std::int64_t> longest;
    for (const HeapModeSpan &span : spans) {
        const bool isInside = span.span.begin <= when && when <= span.span.end;
        if (isInside && snapshot.tables->images.at(span.image.index()).process == process)
            longest = std::max(longest.value_or(1), span.periodBytes);
    }
    return longest;
}

std::string_view heapModeCauseKey(HeapModeCause cause)
{
    switch (cause) {
    case HeapModeCause::Begin:
        return "begin";
    case HeapModeCause::User:
        return "asked_for";
    case HeapModeCause::Budget:
        return "over_budget";
    case HeapModeCause::Waits:
        return "program_waited";
    }
    return "unknown";
}

std::string_view heapModeCauseWords(HeapModeCause cause)
{
    switch (cause) {
    case HeapModeCause::Begin:
        return "the program began";
    case HeapModeCause::User:
        return "asked for";
    case HeapModeCause::Budget:
        return "recording cost more than its budget";
    case HeapModeCause::Waits:
        return "the program had to wait for the recorder";
    }
    return "";
}

bool isHeapPartlySampled(const Snapshot &snapshot)
{
    bool hasFull = false, hasSamples = false;
    for (const HeapModeChange &change : snapshot.heapModes)
        if (change.when <= snapshot.span.end)
            (change.periodBytes > 1 ? hasSamples : hasFull) = true;
    return hasFull && hasSamples;
}

std::string partlySampledWords(const Snapshot &snapshot)
{
    constexpr std::size_t kMostParts = 4;
    std::vector<HeapModeSpan> spans = heapModeSpans(snapshot);
    std::erase_if(spans, [&](const HeapModeSpan &span) { return span.span.begin > snapshot.span.end; });
    const auto samples = [](std::int64_t periodBytes) {
        return fmt::format("one allocation each {} on average", formatBytes(static_cast<double>(periodBytes)));
    };
    std::string words;
    if (spans.size() <= kMostParts && !spans.empty() && spans.front().image == spans.back().image) {
        for (const HeapModeSpan &span : spans) {
            if (!words.empty())
                words += fmt::format(" until {}, then ", formatOffset(span.span.begin, true));
            words += span.periodBytes > 1 ? samples(span.periodBytes) : "in full";
        }
        return words;
    }
    double sampledNs = 0, allNs = 0;
    std::int64_t longest = 1;
    for (const HeapModeSpan &span : spans) {
        const auto ns = static_cast<double>((std::min(span.span.end, snapshot.span.end) - span.span.begin).ns);
        allNs += ns;
        sampledNs += span.periodBytes > 1 ? ns : 0;
        longest = std::max(longest, span.periodBytes);
    }
    return fmt::format("by samples for {} of the programs' time ({}, or more often), else in full",
        formatShare(allNs > 0 ? sampledNs / allNs : 0), samples(longest));
}

std::string heapStepWords(const Snapshot &snapshot, const HeapModeChange &change)
{
    std::string words = fmt::format("from {} to {} ({})", heapModeWords(periodBefore(snapshot, change)),
        heapModeWords(change.periodBytes), heapModeCauseWords(change.cause));
    if (change.liveVariance > 0)
        words += fmt::format("; live {}, estimated {} from then on (± {})",
            formatBytes(static_cast<double>(change.liveBytesBefore)),
            formatBytes(static_cast<double>(change.liveBytesAfter)), formatBytes(2 * std::sqrt(change.liveVariance)));
    return words;
}

} // namespace model
