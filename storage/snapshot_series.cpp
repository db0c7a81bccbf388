// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/snapshot_series.h"

#include "model/heap/size_bins.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace storage {

namespace {

constexpr std::size_t kMostSizeColumns = 4096; ///< more ticks than that are merged in the size map

void fillMetrics(const LoadedSession &session, const model::Selection &selection, model::Snapshot &snapshot)
{
    for (const model::MetricSeries &series : session.metrics)
        if (!selection.process || *selection.process == series.process)
            snapshot.metrics.push_back(series);
}

void fillHeap(const LoadedSession &session, const model::Selection &selection, const TickWindow &window,
    model::Snapshot &snapshot)
{
    model::HeapSummary &summary = snapshot.heapSummary;
    for (const auto &[image, series] : session.heapSeries) {
        if (!isSelected(session, selection, image))
            continue;
        snapshot.heapSeries.push_back(series);
        const model::HeapTick *last = nullptr;
        bool isWithin = false;
        for (std::size_t i = 0; i < series.ticks.size() && !window.isEmpty(); ++i) {
            if (series.spans[i].end > window.span.end)
                break;
            last = &series.ticks[i];
            if (series.spans[i].begin < window.span.begin)
                continue;
            isWithin = true;
            summary.allocations = saturatedSum(summary.allocations, last->allocations);
            summary.allocatedBytes = saturatedSum(summary.allocatedBytes, last->allocatedBytes);
            summary.frees = saturatedSum(summary.frees, last->frees);
            summary.freedBytes = saturatedSum(summary.freedBytes, last->freedBytes);
            summary.temporaries = saturatedSum(summary.temporaries, last->temporaries);
            summary.unknownFrees = saturatedSum(summary.unknownFrees, last->unknownFrees);
        }
        if (last && (!endedBefore(session, image, window.span.begin) || isWithin)) {
            summary.liveBytes = saturatedSum(summary.liveBytes, last->liveBytes);
            summary.liveBlocks = saturatedSum(summary.liveBlocks, last->liveBlocks);
        }
    }
}

void fillCpuSeries(const LoadedSession &session, const model::Selection &selection, model::Snapshot &snapshot)
{
    std::map<std::uint32_t, std::map<std::size_t, CpuSums>> processes;
    for (const auto &[thread, samples] : session.threadSamples) {
        if (!isSelectedThread(session, selection, thread))
            continue;
        auto &ticks = processes[session.tables->threads.at(thread).process.value];
        for (std::size_t i = 0; i < samples.ticks.size(); ++i)
            ticks[samples.ticks[i]].add(samples.sums[i]);
    }
    for (const auto &[process, ticks] : processes) {
        model::CpuSeries series{.process = model::ProcessId(process)};
        for (const auto &[tick, sums] : ticks) {
            series.spans.push_back(session.ticks.at(tick).span);
            series.samples.push_back(sums.samples);
            series.timeNs.push_back(sums.timeNs);
        }
        snapshot.cpuSeries.push_back(std::move(series));
    }
}

/// Adds up the images' sizes by tick, or by group of ticks where there are very many.
void fillSizes(const LoadedSession &session, const model::Selection &selection, model::Snapshot &snapshot)
{
    const std::size_t ticksPerColumn = session.ticks.size() / kMostSizeColumns + 1;
    std::array<model::HeapSizeCell, model::kSizeBinCount> column{};
    std::size_t current = 0;
    const auto flush = [&] {
        const std::size_t last = std::min((current + 1) * ticksPerColumn, session.ticks.size());
        for (std::size_t bin = 0; bin < column.size(); ++bin) {
            if (column[bin].allocations == 0 && column[bin].bytes == 0)
                continue;
            column[bin].bin = static_cast<std::uint16_t>(bin);
            column[bin].span
                = {session.ticks.at(current * ticksPerColumn).span.begin, session.ticks.at(last - 1).span.end};
            snapshot.heapSizes.push_back(column[bin]);
        }
        column = {};
    };
    for (const SizeRow &row : session.heapSizes) {
        if (!isSelected(session, selection, row.delta.image.value))
            continue;
        if (row.tick / ticksPerColumn != current) {
            flush();
            current = row.tick / ticksPerColumn;
        }
        model::HeapSizeCell &cell = column.at(row.delta.bin);
        cell.allocations = saturatedSum(cell.allocations, row.delta.allocations);
        cell.bytes = saturatedSum(cell.bytes, row.delta.bytes);
    }
    flush();
}

} // namespace

namespace {

void fillResolutions(const LoadedSession &session, model::Snapshot &snapshot)
{
    const TickIndex &ticks = session.ticks;
    for (std::size_t level = kLevelCount; level-- > 0;) {
        const std::size_t first = ticks.firstOfLevel(level),
                          last = level > 0 ? ticks.firstOfLevel(level - 1) : ticks.size();
        if (first < last)
            snapshot.resolutions.push_back(
                {{ticks.at(first).span.begin, ticks.at(last - 1).span.end}, {kBucketNs[level]}});
    }
}

std::string lengthText(std::int64_t ns)
{
    const std::int64_t minutes = ns / 60'000'000'000;
    if (minutes % 60 == 0)
        return fmt::format("{} h", minutes / 60);
    return minutes > 60 ? fmt::format("{} h {} min", minutes / 60, minutes % 60) : fmt::format("{} min", minutes);
}

/// What a budget made shorter than usual.
void fillCoarsened(const LoadedSession &session, model::Snapshot &snapshot)
{
    constexpr std::array kSteps = {"ticks", "steps of 10 s", "steps of 1 min", "steps of 10 min", "steps of 1 h"};
    static_assert(kSteps.size() == kLevelCount - 1);
    std::string parts;
    for (std::size_t level = 0; level + 1 < kLevelCount; ++level) {
        const LevelRow &row = session.levels[level];
        if (row.keepNs > 0 && (row.usualKeepNs == 0 || row.keepNs < row.usualKeepNs))
            parts += fmt::format("{}{} {} instead of {}", parts.empty() ? "" : ", ", kSteps[level],
                lengthText(row.keepNs), row.usualKeepNs == 0 ? "for ever" : lengthText(row.usualKeepNs));
    }
    if (!parts.empty())
        snapshot.coarsened = "To keep to the budget, details are kept for a shorter time than usual: " + parts + ".";
}

} // namespace

TickWindow windowOf(const TickIndex &ticks, const model::Selection &selection)
{
    TickWindow window{0, ticks.size(), {}};
    if (selection.time) {
        std::tie(window.first, window.last) = ticks.intersecting(*selection.time);
        window.span = {selection.time->begin, selection.time->begin};
    }
    if (!window.isEmpty())
        window.span = {ticks.at(window.first).span.begin, ticks.at(window.last - 1).span.end};
    return window;
}

bool isSelected(const LoadedSession &session, const model::Selection &selection, std::uint32_t image)
{
    return !selection.process || session.tables->images.at(image).process == *selection.process;
}

bool endedBefore(const LoadedSession &session, std::uint32_t image, model::Timestamp begin)
{
    const std::optional<model::Timestamp> &end = session.tables->images.at(image).end;
    return end && *end <= begin;
}

bool isSelectedThread(const LoadedSession &session, const model::Selection &selection, std::uint32_t thread)
{
    if (selection.thread && selection.thread->value != thread)
        return false;
    return !selection.process || session.tables->threads.at(thread).process == *selection.process;
}

void fillSeries(const LoadedSession &session, const model::Selection &selection, const TickWindow &window,
    model::Snapshot &snapshot)
{
    snapshot.tickEnds.reserve(session.ticks.size());
    for (std::size_t i = 0; i < session.ticks.size(); ++i)
        snapshot.tickEnds.push_back(session.ticks.at(i).span.end);
    fillResolutions(session, snapshot);
    fillCoarsened(session, snapshot);
    fillMetrics(session, selection, snapshot);
    fillHeap(session, selection, window, snapshot);
    fillCpuSeries(session, selection, snapshot);
    if (!session.heapSizes.empty())
        fillSizes(session, selection, snapshot);
    for (const LostSamples &lost : session.lostSamples)
        if (lost.tick >= window.first && lost.tick < window.last)
            snapshot.cpuSummary.lost = saturatedSum(snapshot.cpuSummary.lost, lost.count);
    for (const auto &[key, loss] : session.losses)
        snapshot.losses.push_back(loss);
    snapshot.marks = session.marks;
    snapshot.gaps = session.gaps;
    snapshot.recorderCpuNs = session.recorderCpuNs;
    snapshot.recorderRssBytes = session.recorderRssBytes;
}

} // namespace storage
