// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/report/text_report.h"

#include "model/aggregate/activity_totals.h"
#include "model/aggregate/function_index.h"
#include "model/aggregate/heap_modes.h"
#include "model/aggregate/process_images.h"
#include "model/aggregate/sampling_error.h"
#include "model/aggregate/temporary_blocks.h"
#include "model/aggregate/unrecorded_heap.h"
#include "model/aggregate/unseen_cpu.h"
#include "model/analysis/summary.h"
#include "model/report/session_words.h"
#include "model/report/soak_report.h"
#include "model/report/text_memory.h"
#include "model/report/text_parts.h"
#include "model/report/text_processes.h"
#include "model/report/text_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <ostream>

namespace model {

namespace {

void writeAnswers(std::ostream &out, const Snapshot &snapshot, const TextReportOptions &options)
{
    if (const std::string verdict = soakHeadline(snapshot); !verdict.empty()) {
        writeHeading(out, "Stability (--what verdict)");
        writeWrapped(out, verdict, options.columns, 2, 2);
    }
    const std::optional<Summary> answers = summary(snapshot);
    writeHeading(out, "Answers");
    for (const SummaryCard &card : answers->cards) {
        const std::string_view mark = card.state == CardState::Danger ? "!!"
            : card.state == CardState::Warn                           ? "! "
                                                                      : "  ";
        out << fmt::format(
            "{}{:<12}{}{}{}\n", mark, card.title, card.number, card.qualifier.empty() ? "" : "  ", card.qualifier);
        writeWrapped(out, card.sentence, options.columns, 14);
    }
    const std::vector<Recommendation> &items = answers->recommendations.items;
    writeHeading(out, "Worth changing");
    if (items.empty())
        writeWrapped(out, answers->recommendations.sentence, options.columns, 2);
    const std::size_t most = mostRows(options, 5);
    for (std::size_t i = 0; i < std::min(items.size(), most); ++i) {
        writeWrapped(out, fmt::format("{}. {}", i + 1, items[i].title), options.columns, 2, 3);
        writeWrapped(out, items[i].advice, options.columns, 5);
    }
    if (items.size() > most)
        out << fmt::format("  … and {} more (--what advice)\n", items.size() - most);
}

/// Heap events that were lost, by the selected process where one is selected: each was some program's.
std::int64_t droppedEvents(const Snapshot &snapshot)
{
    const std::optional<ProcessId> &process = snapshot.selection.process;
    const std::vector<Image> &images = snapshot.tables->images;
    std::int64_t dropped = 0;
    for (const LossTotal &loss : snapshot.losses) {
        const bool isOfAnother
            = process && loss.image.index() < images.size() && images[loss.image.index()].process != *process;
        dropped += loss.kind == LossKind::EventsDropped && !isOfAnother ? loss.count : 0;
    }
    return dropped;
}

/// Where blocks come from that were freed without being known.
std::string earlierBlocks(const Snapshot &snapshot)
{
    const auto hasImages = [&](HeapState state) {
        const std::vector<Image> &images = snapshot.tables->images;
        return std::any_of(images.begin(), images.end(), [=](const Image &image) { return image.heap == state; });
    };
    if (droppedEvents(snapshot) > 0)
        return "of which the allocation was lost, or not traced yet";
    if (!hasImages(HeapState::Inherited))
        return hasImages(HeapState::Attached) ? "from before the attach, or of a new library"
                                              : "allocated before tracing began";
    return hasImages(HeapState::Attached) ? "allocated before the attach or the fork"
                                          : "of the parent, by its forked children";
}

void writeTotals(std::ostream &out, const Snapshot &snapshot, const TextReportOptions &options)
{
    const HeapSummary &heap = snapshot.heapSummary;
    const CpuSummary &cpu = snapshot.cpuSummary;
    writeHeading(out, "Totals");
    TextTable table({{}, {"", Align::Right}, {}});
    const auto row = [&table](std::string name, std::string value, std::string rest = {}) {
        table.row({std::move(name), std::move(value), std::move(rest)});
    };
    if (snapshot.info.config.heap != HeapMode::Off && !isHeapRecorded(snapshot))
        row("Heap", "", "not recorded, see below");
    else if (snapshot.info.config.heap != HeapMode::Off) {
        const bool isEstimate = isHeapSampled(snapshot);
        const auto bytes = [isEstimate](std::int64_t value) {
            return (isEstimate ? "about " : "") + formatBytes(static_cast<double>(value));
        };
        const auto count
            = [](std::int64_t value, bool isSampled) { return (isSampled ? "about " : "") + formatCount(value); };
        const auto interval = [&snapshot](CostKind kind) {
            const std::optional<ErrorInterval> error = errorOf(snapshot, kind);
            return error ? fmt::format(" (95 %: {})", intervalText(*error, kind)) : std::string();
        };
        // As a row it would be cut.
        if (const std::string owners = heapOwners(snapshot); !owners.empty())
            writeWrapped(out, fmt::format("The heap's figures are {}.", owners), options.columns, 2);
        if (isEstimate)
            writeWrapped(out,
                isHeapPartlySampled(snapshot)
                    ? fmt::format("The heap was recorded {}: what was sampled is an estimate, and so is what is live.",
                        partlySampledWords(snapshot))
                    : fmt::format("Of the heap about one allocation each {} was recorded: its figures are estimates.",
                        formatBytes(static_cast<double>(longestPeriod(snapshot)))),
                options.columns, 2);
        const std::int64_t dropped = droppedEvents(snapshot);
        if (dropped > 0)
            writeWrapped(out,
                fmt::format("{} heap {} lost{}: there were more allocations and frees than are counted here, and what "
                            "is live may be less or more.",
                    formatCount(dropped), dropped == 1 ? "event was" : "events were",
                    isDropping(snapshot.info) ? " (the recording was told to drop when rings are full)" : ""),
                options.columns, 2);
        row("Allocations", count(heap.allocations, isEstimate),
            bytes(heap.allocatedBytes) + interval(CostKind::Allocated));
        row("Frees", count(heap.frees, isEstimate), bytes(heap.freedBytes));
        row("Live at the end", count(heap.liveBlocks, isEstimate),
            bytes(heap.liveBytes) + interval(CostKind::Live) + endsText(snapshot));
        row("Peak", count(heap.peakBlocks, isPeakSampled(snapshot)),
            fmt::format("{} then, {}{}{} at {}{}", heap.peakBlocks == 1 ? "block" : "blocks",
                heap.peakIsBound ? "at most " : "", isPeakSampled(snapshot) ? "about " : "",
                formatBytes(static_cast<double>(heap.peakBytes)), formatOffset(heap.peakWhen, true),
                heap.peakIsExact ? "" : " or nearby"));
        if (heap.unknownFrees > 0)
            row("Frees of earlier blocks", formatCount(heap.unknownFrees), earlierBlocks(snapshot));
        const std::int64_t temporaries = temporariesAmong(heap.allocations, heap.temporaries);
        row("Temporary", count(temporaries, isEstimate), formatShareOf(temporaries, heap.allocations));
    }
    if (snapshot.info.config.cpuHz > 0)
        row("CPU samples", formatCount(cpu.samples),
            fmt::format("{}, {}", formatDuration({cpu.timeNs}), lostSamplesText(snapshot)));
    if (snapshot.info.config.systemCalls && !isRecorded(snapshot, CostSource::SystemCall))
        row("System calls", "–", "not recorded");
    else if (snapshot.info.config.systemCalls)
        row("System calls", formatCount(activityTotal(snapshot, CostKind::SystemCalls)),
            fmt::format("{} in them, {} failed", formatDuration({activityTotal(snapshot, CostKind::SystemCallTime)}),
                formatCount(activityTotal(snapshot, CostKind::SystemCallErrors))));
    if (snapshot.info.config.waits && !isRecorded(snapshot, CostSource::Wait))
        row("Waits", "–", "not recorded");
    else if (snapshot.info.config.waits)
        row("Waits", formatCount(activityTotal(snapshot, CostKind::Waits)),
            fmt::format("{}, {} of it blocked", formatDuration({activityTotal(snapshot, CostKind::WaitTime)}),
                formatDuration({activityTotal(snapshot, CostKind::Blocked)})));
    row("Stacks", formatCount(snapshot.stackQuality.distinct),
        fmt::format("{} cut off, {} broken", formatCount(snapshot.stackQuality.truncated),
            formatCount(snapshot.stackQuality.broken)));
    const std::int64_t recordedNs = std::max<std::int64_t>(snapshot.info.duration.ns, 1);
    row("Recorder", formatShareOf(snapshot.recorderCpuNs, recordedNs),
        fmt::format("of a core, {}", formatBytes(static_cast<double>(snapshot.recorderRssBytes))));
    row("Session", formatBytes(static_cast<double>(snapshot.fileBytes)), snapshot.file);
    table.write(out, options.columns, 2);
    const auto isRefused
        = [&snapshot](CostSource source) { return isRecorded(snapshot.info, source) && !isRecorded(snapshot, source); };
    if (isRefused(CostSource::SystemCall) || isRefused(CostSource::Wait))
        writeWrapped(out, snapshot.info.activityNote, options.columns, 2);
}

/// How the heap was recorded, where that changed.
void writeHeapModes(std::ostream &out, const Snapshot &snapshot, const TextReportOptions &options)
{
    const std::vector<HeapModeChange> steps = heapStepsIn(snapshot, snapshot.span);
    if (steps.empty())
        return;
    writeHeading(out, "How the heap was recorded");
    const std::size_t most = mostRows(options, 20);
    for (std::size_t i = 0; i < std::min(steps.size(), most); ++i)
        writeWrapped(out,
            fmt::format("At {}, {}: {}.", formatOffset(steps[i].when, true), processTextOf(snapshot, steps[i].image),
                heapStepWords(snapshot, steps[i])),
            options.columns, 2, 6);
    writeRest(out, steps.size(), most, "changes");
    writeWrapped(out,
        "What is live before and after such a moment differs by the error of the samples; no verdict on growth "
        "is taken across it.",
        options.columns, 2);
}

struct MetricStatistics
{
    double least = 0;
    double sum = 0;
    double greatest = 0;
    double last = 0;
    std::int64_t count = 0;

    void add(double value)
    {
        least = count == 0 ? value : std::min(least, value);
        greatest = count == 0 ? value : std::max(greatest, value);
        sum += value;
        last = value;
        ++count;
    }
};

MetricStatistics statisticsOf(const MetricSeries &series, const MetricInfo &info, TimeRange span)
{
    MetricStatistics statistics;
    for (std::size_t i = 0; i < series.times.size(); ++i)
        if (span.begin < series.times[i] && series.times[i] <= span.end)
            if (const std::optional<std::int64_t> value = series.values[i].get(info.metric))
                statistics.add(metricValue(*value, info.unit));
    return statistics;
}

} // namespace

void writeSummaryText(std::ostream &out, const Snapshot &snapshot, const TextReportOptions &options)
{
    writeTitle(out, snapshot, options);
    writeAnswers(out, snapshot, options);
    writeTotals(out, snapshot, options);
    writeHeapModes(out, snapshot, options);
    writeMemoryParts(out, snapshot, options);
    writeAreas(out, snapshot, options);
    writeMarks(out, snapshot, options);
    writeProcesses(out, snapshot, options);
    writeTrust(out, snapshot, options);
}

void writeMetricsText(std::ostream &out, const Snapshot &snapshot, const TextReportOptions &options)
{
    writeTitle(out, snapshot, options);
    for (const MetricSeries &series : snapshot.metrics) {
        const Process &process = snapshot.tables->processes.at(series.process.index());
        TextTable table({{"metric"}, {"least", Align::Right}, {"mean", Align::Right}, {"greatest", Align::Right},
            {"last", Align::Right}});
        for (const MetricInfo &info : kMetrics) {
            const MetricStatistics found = statisticsOf(series, info, snapshot.span);
            const Unit unit = unitOf(info.unit);
            if (found.count > 0)
                table.row({std::string(info.label), formatValue(found.least, unit),
                    formatValue(found.sum / static_cast<double>(found.count), unit), formatValue(found.greatest, unit),
                    formatValue(found.last, unit)});
        }
        if (table.isEmpty())
            continue;
        writeHeading(out, fmt::format("{} · {}", processText(snapshot, series.process), endText(process)));
        table.write(out, options.columns, 2);
    }
    if (snapshot.metrics.empty())
        writeWrapped(out, "No metrics were recorded in this time.", options.columns, 0);
    writeTrust(out, snapshot, options);
}

void writeLossesText(std::ostream &out, const Snapshot &snapshot, const TextReportOptions &options)
{
    writeTitle(out, snapshot, options);
    writeHeading(out, "Losses");
    TextTable counts({{}, {"", Align::Right}});
    const std::array<std::int64_t, kLossKindCount> totals = lossCounts(snapshot);
    for (std::size_t kind = 0; kind < totals.size(); ++kind)
        counts.row({std::string(lossLabel(static_cast<LossKind>(kind))), formatCount(totals[kind])});
    counts.write(out, options.columns, 2);
    TextTable where({{"count", Align::Right}, {"process"}, {"from", Align::Right}, {"to", Align::Right}, {"what"}});
    for (const LossTotal &loss : snapshot.losses)
        where.row({formatCount(loss.count), loss.image.isValid() ? processTextOf(snapshot, loss.image) : "",
            formatOffset(loss.span.begin), formatOffset(loss.span.end),
            std::string(lossLabel(loss.kind)) + (loss.detail.empty() ? "" : ": " + loss.detail)});
    if (!where.isEmpty()) {
        writeHeading(out, "Where");
        where.write(out, options.columns, 2);
    }
    writeTrust(out, snapshot, options);
}

} // namespace model
