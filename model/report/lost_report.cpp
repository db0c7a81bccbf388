// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/report/lost_report.h"

#include "model/aggregate/stack_text.h"
#include "model/report/csv_writer.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <ostream>

namespace model {

namespace {

using Json = nlohmann::ordered_json;

std::int32_t pidOf(const Snapshot &snapshot, ImageId image)
{
    const ProgramTables &tables = *snapshot.tables;
    return image.isValid() && image.index() < tables.images.size()
        ? tables.processes[tables.images[image.index()].process.index()].pid
        : 0;
}

Json sumObject(const BlockSum &sum) { return {{"blocks", sum.blocks}, {"bytes", sum.bytes}}; }

void addClasses(Json &object, const ReachSums &sums, const BlockSum &confirmed)
{
    for (std::size_t i = 0; i < kReachClassCount; ++i)
        object[std::string(reachClassKey(static_cast<ReachClass>(i)))] = sumObject(sums[i]);
    object["confirmed"] = sumObject(confirmed);
}

Json framesOf(FunctionIndex &index, StackId stack)
{
    Json frames = Json::array();
    for (const StackLine &line : stackLines(index, stack))
        frames.push_back(
            {{"function", line.name}, {"module", line.modulePath}, {"file", line.file}, {"line", line.line}});
    return frames;
}

Json scanObject(const Snapshot &snapshot, const MemoryScan &scan)
{
    Json object{{"scan", scan.id}, {"pid", pidOf(snapshot, scan.image)}, {"time_ns", scan.when.ns},
        {"proof", scan.proof == ScanProof::Complete ? "complete" : "lower_bound"}, {"limits", scan.limits},
        {"confirms", scan.confirms != 0 ? Json(scan.confirms) : Json()}};
    addClasses(object, scan.sums, scan.confirmed);
    object.update({{"stop_ns", scan.stopNs}, {"analysis_ns", scan.analysisNs}, {"scanned_bytes", scan.scannedBytes},
        {"unreadable_bytes", scan.unreadableBytes}, {"threads", scan.threads}, {"missed_threads", scan.missedThreads},
        {"interrupted_calls", scan.interruptedCalls}, {"min_age_ns", scan.minAgeNs}});
    return object;
}

void addDetails(Json &object, FunctionIndex &index, const MemoryScan &scan, std::size_t most)
{
    object["stacks"] = Json::array();
    for (const ScannedStack &stack : scan.stacks) {
        if (most > 0 && object["stacks"].size() == most)
            break;
        Json row;
        addClasses(row, stack.sums, stack.confirmed);
        row["held"] = sumObject(stack.held);
        row["retained"] = sumObject(stack.retained);
        row["frames"] = framesOf(index, stack.stack);
        object["stacks"].push_back(std::move(row));
    }
    object["holders"] = Json::array();
    for (const HolderPath &path : scan.paths) {
        Json way = Json::array();
        for (const HolderStep &step : path.way)
            way.push_back({{"blocks", step.blocks}, {"stack", collapsedStack(index, step.stack)}});
        object["holders"].push_back(
            {{"retained", sumObject(path.retained)}, {"root", path.root}, {"way", std::move(way)}});
    }
}

} // namespace

void writeLostJson(std::ostream &out, const Snapshot &snapshot, std::size_t stacks)
{
    const auto last = lastScans(snapshot);
    FunctionIndex index(snapshot.tables);
    Json object{{"file", snapshot.file}, {"scans", Json::array()}};
    for (const auto &scan : snapshot.scans) {
        Json row = scanObject(snapshot, *scan);
        if (std::find(last.begin(), last.end(), scan) != last.end())
            addDetails(row, index, *scan, stacks);
        object["scans"].push_back(std::move(row));
    }
    out << object.dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
}

void writeLostCsv(std::ostream &out, const Snapshot &snapshot, std::size_t stacks)
{
    CsvWriter csv(out);
    csv.fields("scan", "pid", "time_s");
    for (std::size_t i = 0; i < kReachClassCount; ++i) {
        const std::string key(reachClassKey(static_cast<ReachClass>(i)));
        csv.fields(key + "_blocks", key + "_bytes");
    }
    csv.row("confirmed_blocks", "confirmed_bytes", "held_blocks", "held_bytes", "retained_blocks", "retained_bytes",
        "stack");
    FunctionIndex index(snapshot.tables);
    for (const auto &scan : lastScans(snapshot)) {
        const std::size_t count = stacks == 0 ? scan->stacks.size() : std::min(stacks, scan->stacks.size());
        for (std::size_t i = 0; i < count; ++i) {
            const ScannedStack &stack = scan->stacks[i];
            csv.fields(scan->id, pidOf(snapshot, scan->image), scan->when.seconds());
            for (const BlockSum &sum : stack.sums)
                csv.fields(sum.blocks, sum.bytes);
            csv.row(stack.confirmed.blocks, stack.confirmed.bytes, stack.held.blocks, stack.held.bytes,
                stack.retained.blocks, stack.retained.bytes, collapsedStack(index, stack.stack));
        }
    }
}

} // namespace model
