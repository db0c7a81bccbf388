// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/report/summary_object.h"

#include "model/aggregate/activity_totals.h"
#include "model/aggregate/area_snapshot.h"
#include "model/aggregate/heap_modes.h"
#include "model/aggregate/memory_parts.h"
#include "model/aggregate/phase_totals.h"
#include "model/aggregate/process_images.h"
#include "model/aggregate/resident_peak.h"
#include "model/aggregate/sampling_error.h"
#include "model/aggregate/unrecorded_heap.h"
#include "model/analysis/coverage.h"
#include "model/report/session_words.h"

#include <algorithm>
#include <cmath>
#include <functional>

namespace model {

namespace {

using Json = nlohmann::ordered_json;

Json optionalNs(const std::optional<Timestamp> &when) { return when ? Json(when->ns) : Json(); }

Json imagesObject(const Snapshot &snapshot, const std::vector<ImageId> &ids)
{
    Json images = Json::array();
    for (const ImageId id : ids) {
        const Image &image = snapshot.tables->images[id.index()];
        images.push_back({{"epoch", image.epoch}, {"executable", snapshot.tables->text(image.executable)},
            {"command_line", snapshot.tables->text(image.commandLine)}, {"start_ns", image.start.ns},
            {"end_ns", optionalNs(image.end)}, {"heap_state", heapStateKey(image.heap)},
            {"heap_note", snapshot.tables->text(image.heapNote)}});
    }
    return images;
}

Json processesObject(const Snapshot &snapshot)
{
    const ProgramTables &tables = *snapshot.tables;
    const std::vector<std::vector<ImageId>> images = imagesByProcess(tables);
    Json processes = Json::array();
    for (std::size_t i = 0; i < tables.processes.size(); ++i) {
        const Process &process = tables.processes[i];
        const auto threads = std::count_if(tables.threads.begin(), tables.threads.end(),
            [i](const Thread &thread) { return thread.process == ProcessId(i); });
        const Json parent = process.parent.isValid() ? Json(tables.processes.at(process.parent.index()).pid) : Json();
        processes.push_back({{"pid", process.pid}, {"parent_pid", parent}, {"start_ns", process.start.ns},
            {"end_ns", optionalNs(process.end)}, {"end", endText(process)},
            {"wait_status", process.waitStatus ? Json(*process.waitStatus) : Json()}, {"threads", threads},
            {"images", imagesObject(snapshot, images[i])}});
    }
    return processes;
}

Json lossesObject(const Snapshot &snapshot)
{
    Json losses = Json::object();
    const std::array<std::int64_t, kLossKindCount> counts = lossCounts(snapshot);
    for (std::size_t kind = 0; kind < counts.size(); ++kind)
        losses[std::string(lossKey(static_cast<LossKind>(kind)))] = counts[kind];
    return losses;
}

Json eventsOf(const Snapshot &snapshot)
{
    Json gaps = Json::array();
    for (const Gap &gap : snapshot.gaps)
        gaps.push_back({{"from_ns", gap.span.begin.ns}, {"to_ns", gap.span.end.ns}, {"kind", gapKey(gap.kind)}});
    Json marks = Json::array();
    for (const Mark &mark : snapshot.marks)
        marks.push_back({{"time_ns", mark.when.ns}, {"kind", markKey(mark.kind)}, {"text", mark.text}});
    return {{"gaps", gaps}, {"marks", marks}};
}

/// How finely each part of the recording is kept; 0: every tick.
Json stepsOf(const Snapshot &snapshot)
{
    Json steps = Json::array();
    for (const Resolution &part : snapshot.resolutions)
        steps.push_back({{"from_ns", part.span.begin.ns}, {"to_ns", part.span.end.ns}, {"step_ns", part.step.ns}});
    return steps;
}

Json areasOf(const Snapshot &snapshot)
{
    Json areas = Json::array();
    for (const MemoryArea &area : snapshot.areas)
        areas.push_back({{"kind", areaKindKey(area.kind)}, {"name", snapshot.tables->text(area.name)},
            {"pid", pidOf(snapshot, area.image)}, {"live_bytes", area.total.liveBytes},
            {"live_blocks", area.total.liveBlocks}, {"peak_bytes", area.total.peakBytes},
            {"allocations", area.total.allocations}, {"allocated_bytes", area.total.allocatedBytes},
            {"frees", area.total.frees}, {"freed_bytes", area.total.freedBytes}});
    return areas;
}

Json phasesOf(const Snapshot &snapshot)
{
    Json phases = Json::array();
    for (const PhaseTotal &phase : phaseTotals(snapshot))
        phases.push_back({{"name", phase.name}, {"depth", phase.depth}, {"count", phase.count},
            {"time_ns", phase.time.ns}, {"longest_ns", phase.longest.ns}, {"first_ns", phase.first.ns}});
    return phases;
}

/// What the resident memory consists of where it is at its height in the selection.
Json memoryOf(const Snapshot &snapshot)
{
    if (snapshot.memoryParts.empty())
        return {};
    const MemoryNow now = memoryAtItsHeight(snapshot);
    Json object = {{"time_ns", now.when.ns}, {"is_measured", now.isMeasured}};
    const std::optional<double> most = residentPeak(snapshot);
    object["most_bytes"] = most ? Json(static_cast<std::int64_t>(*most)) : Json();
    std::int64_t all = 0;
    for (const MemoryNow::Part &part : now.parts)
        all += static_cast<std::int64_t>(part.bytes);
    object["resident_bytes"] = all; // what the parts add up to
    for (const MemoryNow::Part &part : now.parts)
        object[std::string(part.key)] = static_cast<std::int64_t>(part.bytes);
    object["untouched_bytes"] = static_cast<std::int64_t>(now.untouchedBytes);
    return object;
}

} // namespace

Json selectionObject(const Snapshot &snapshot)
{
    const ProgramTables &tables = *snapshot.tables;
    const Selection &selection = snapshot.selection;
    const auto ticks = std::count_if(snapshot.tickEnds.begin(), snapshot.tickEnds.end(),
        [&](Timestamp end) { return snapshot.span.begin < end && end <= snapshot.span.end; });
    const Json pid = selection.process ? Json(tables.processes.at(selection.process->index()).pid) : Json();
    const Json tid = selection.thread ? Json(tables.threads.at(selection.thread->index()).tid) : Json();
    Json object = {{"from_ns", snapshot.span.begin.ns}, {"to_ns", snapshot.span.end.ns}, {"ticks", ticks}, {"pid", pid},
        {"tid", tid}};
    if (selection.time) {
        object["asked_from_ns"] = selection.time->begin.ns;
        object["asked_to_ns"] = selection.time->end.ns;
    }
    return object;
}

void addIntervals(Json &object, const std::function<std::optional<ErrorInterval>(CostKind)> &intervalOf)
{
    for (const CostKind kind : kCostsWithError)
        if (const auto interval = intervalOf(kind))
            object[std::string(costInfo(kind).column) + "_interval95"] = {interval->low, interval->high};
}

/// Which ways of recording when, of each image.
Json heapModesOf(const Snapshot &snapshot)
{
    Json modes = Json::array();
    const std::vector<HeapModeSpan> spans = heapModeSpans(snapshot);
    for (std::size_t i = 0; i < spans.size(); ++i) {
        const HeapModeChange &change = snapshot.heapModes[i];
        Json mode = {{"pid", pidOf(snapshot, spans[i].image)}, {"program", programOf(snapshot, spans[i].image)},
            {"begin_ns", spans[i].span.begin.ns}, {"end_ns", spans[i].span.end.ns},
            {"sample_period_bytes", spans[i].periodBytes > 1 ? Json(spans[i].periodBytes) : Json()},
            {"cause", heapModeCauseKey(spans[i].cause)}};
        if (change.liveVariance > 0)
            mode.update({{"live_bytes_before", change.liveBytesBefore}, {"live_bytes_after", change.liveBytesAfter},
                {"live_bytes_error", std::sqrt(change.liveVariance)}});
        modes.push_back(std::move(mode));
    }
    return modes;
}

bool knowsPeakOfStacks(const Snapshot &snapshot)
{
    return snapshot.heapSummary.peakBytes == 0 || snapshot.heapSummary.peakBlocks > 0;
}

Json heapTotalsObject(const Snapshot &snapshot)
{
    const HeapSummary &heap = snapshot.heapSummary;
    Json object = {{"mode", heapModeKey(snapshot.info.config.heap)}, {"recorded", isHeapRecorded(snapshot)},
        {"note", whyNoHeap(snapshot).value_or(std::string())}, {"allocations", heap.allocations}, {"frees", heap.frees},
        {"allocated_bytes", heap.allocatedBytes}, {"freed_bytes", heap.freedBytes}, {"live_bytes", heap.liveBytes},
        {"live_blocks", heap.liveBlocks}, {"peak_bytes", heap.peakBytes}, {"peak_blocks", heap.peakBlocks},
        {"peak_time_ns", heap.peakWhen.ns}, {"peak_is_exact", heap.peakIsExact && !isPeakSampled(snapshot)},
        {"peak_is_upper_bound", heap.peakIsBound}, {"temporary", heap.temporaries},
        {"unknown_frees", heap.unknownFrees}, {"when_full", isDropping(snapshot.info) ? "drop" : "wait"}};
    if (!knowsPeakOfStacks(snapshot)) {
        object.erase("peak_blocks");
        object.erase("peak_time_ns");
        object["peak_is_upper_bound"] = true;
    }
    if (snapshot.info.config.heap == HeapMode::Auto)
        object["budget_millipercent"] = snapshot.info.config.heapBudgetMilliPercent;
    object["modes"] = heapModesOf(snapshot);
    if (isHeapSampled(snapshot)) {
        object["sample_period_bytes"] = longestPeriod(snapshot);
        object["samples"] = sampleCount(snapshot);
        addIntervals(object, [&](CostKind kind) { return errorOf(snapshot, kind); });
    }
    return object;
}

Json cpuTotalsObject(const Snapshot &snapshot)
{
    return {{"hz", snapshot.info.config.cpuHz}, {"event", snapshot.info.cpuEvent}, {"note", snapshot.info.cpuNote},
        {"samples", snapshot.cpuSummary.samples}, {"time_ns", snapshot.cpuSummary.timeNs},
        {"lost", snapshot.cpuSummary.lost}};
}

namespace {

Json activityObject(const Snapshot &snapshot, CostSource source)
{
    const bool isWait = source == CostSource::Wait;
    Json object = {{"recorded", isRecorded(snapshot, source)}, {"note", snapshot.info.activityNote},
        {"count", activityTotal(snapshot, isWait ? CostKind::Waits : CostKind::SystemCalls)},
        {"time_ns", activityTotal(snapshot, isWait ? CostKind::WaitTime : CostKind::SystemCallTime)}};
    if (isWait)
        object["blocked_ns"] = activityTotal(snapshot, CostKind::Blocked);
    else
        object["errors"] = activityTotal(snapshot, CostKind::SystemCallErrors);
    return object;
}

/// The end of the recording, where it is not in the session; null: all is.
Json unwrittenObject(const SessionInfo &info)
{
    if (!info.unwritten)
        return {};
    const Unwritten &end = *info.unwritten;
    const bool isKnown = end.length.ns > 0;
    return {{"from_ns", end.from.ns}, {"duration_ns", isKnown ? Json(end.length.ns) : Json()},
        {"heap_events", isKnown ? Json(end.heapEvents) : Json()},
        {"cpu_samples", isKnown ? Json(end.cpuSamples) : Json()}, {"reason", end.reason},
        {"text", unwrittenText(info)}};
}

} // namespace

Json summaryObject(const Snapshot &snapshot)
{
    const SessionInfo &info = snapshot.info;
    Json object = {{"file", snapshot.file}, {"file_bytes", snapshot.fileBytes}, {"command", commandText(snapshot)},
        {"arguments", info.config.command}, {"pid", mainPid(snapshot)}, {"start", dateTimeOf(snapshot, {})},
        {"start_unix_ns", info.startWallNs}, {"duration_ns", info.duration.ns}, {"ticks", snapshot.tickEnds.size()},
        {"tick_ns", info.config.tick.ns}, {"state", stateKey(info.state)}, {"end_reason", info.endReason},
        {"exit_status", info.exitStatus ? Json(*info.exitStatus) : Json()}, {"host", info.host},
        {"kernel", info.kernel}, {"cpu_count", info.cpuCount}, {"recorder_version", info.recorderVersion}};
    object["unwritten"] = unwrittenObject(info);
    object["selection"] = selectionObject(snapshot);
    object["heap"] = heapTotalsObject(snapshot);
    object["cpu"] = cpuTotalsObject(snapshot);
    object["system_calls"] = activityObject(snapshot, CostSource::SystemCall);
    object["waits"] = activityObject(snapshot, CostSource::Wait);
    object["stacks"] = {{"distinct", snapshot.stackQuality.distinct}, {"truncated", snapshot.stackQuality.truncated},
        {"broken", snapshot.stackQuality.broken}};
    object["losses"] = lossesObject(snapshot);
    object["recorder"] = {{"cpu_ns", snapshot.recorderCpuNs}, {"rss_bytes", snapshot.recorderRssBytes}};
    object["processes"] = processesObject(snapshot);
    object.update(eventsOf(snapshot));
    object["phases"] = phasesOf(snapshot);
    object["areas"] = areasOf(snapshot);
    object["resident_memory"] = memoryOf(snapshot);
    object["redaction"] = info.redaction
        ? Json{{"texts", info.redaction->texts}, {"keeps_functions", info.redaction->keepsFunctions}}
        : Json();
    object["damage"] = snapshot.damage;
    object["steps"] = stepsOf(snapshot);
    object["coarsened"] = snapshot.coarsened;
    return object;
}

} // namespace model
