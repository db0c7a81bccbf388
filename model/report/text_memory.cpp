// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/report/text_memory.h"

#include "model/aggregate/area_snapshot.h"
#include "model/aggregate/memory_parts.h"
#include "model/aggregate/merged_heap.h"
#include "model/aggregate/phase_totals.h"
#include "model/aggregate/resident_peak.h"
#include "model/report/session_words.h"
#include "model/report/text_parts.h"
#include "model/report/text_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

namespace model {

namespace {

constexpr std::size_t kUsualRows = 20;

std::string bytesText(std::int64_t bytes) { return formatBytes(static_cast<double>(bytes)); }

} // namespace

void writeMemoryParts(std::ostream &out, const Snapshot &snapshot, const TextReportOptions &options)
{
    if (snapshot.memoryParts.empty())
        return;
    const MemoryNow now = memoryAtItsHeight(snapshot);
    double all = 0;
    for (const MemoryNow::Part &part : now.parts)
        all += part.bytes;
    if (all <= 0)
        return;
    constexpr double kTellsOfIt = 0.95; // less than that was not its height
    const double most = residentPeak(snapshot).value_or(all);
    writeHeading(out,
        all < kTellsOfIt * most ? fmt::format("Resident memory: {} at {}; the height, {}, was not looked at",
            formatBytes(all), formatOffset(now.when, true), formatBytes(most))
                                : fmt::format("Resident memory at its height, {} at {}{}", formatBytes(all),
                                    formatOffset(now.when, true), now.isMeasured ? " when its pages were read" : ""));
    TextTable table({{}, {"", Align::Right}, {"", Align::Right}});
    for (const MemoryNow::Part &part : now.parts)
        table.row({std::string(part.label), formatBytes(part.bytes), formatShare(part.bytes / all)});
    table.row({"together", formatBytes(all), ""});
    if (now.isMeasured && now.untouchedBytes > 0) // else extrapolated
        table.row({"requested, not resident", formatBytes(now.untouchedBytes), ""});
    table.write(out, options.columns, 2);
    if (!now.isMeasured)
        writeWrapped(out, "Which part has what is of an earlier moment, carried on by the kernel's counters.",
            options.columns, 2);
}

namespace {

/// An area of one process, or what the areas of one sort have together of all processes of a program.
struct AreaRow
{
    std::string name;
    std::string program;
    ImageId image; ///< of the first
    std::int64_t processes = 0;
    HeapCost total; ///< `peakBytes` is the greatest of one
};

/// A build runs a compiler a thousand times: their areas are one row. In the order of the first of each.
std::vector<AreaRow> areaRows(const Snapshot &snapshot)
{
    std::vector<AreaRow> rows;
    std::map<std::pair<std::string, std::string>, std::size_t> known;
    for (const MemoryArea &area : snapshot.areas) {
        std::string name = areaName(snapshot, area), program = programOf(snapshot, area.image);
        const auto [found, isNew] = known.try_emplace({name, program}, rows.size());
        if (isNew) {
            rows.push_back({std::move(name), std::move(program), area.image, 1, area.total});
            continue;
        }
        AreaRow &row = rows[found->second];
        const std::int64_t peakBytes = std::max(row.total.peakBytes, area.total.peakBytes);
        addCost(row.total, area.total);
        row.total.peakBytes = peakBytes;
        ++row.processes;
    }
    return rows;
}

} // namespace

void writeAreas(std::ostream &out, const Snapshot &snapshot, const TextReportOptions &options)
{
    if (snapshot.areas.empty())
        return;
    writeHeading(out, "Beside the heap (--what mappings, --what pools)");
    TextTable table({{"area"}, {"process"}, {"live", Align::Right}, {"blocks", Align::Right}, {"peak", Align::Right},
        {"taken", Align::Right}, {"times", Align::Right}});
    const std::size_t most = mostRows(options, kUsualRows);
    const std::vector<AreaRow> rows = areaRows(snapshot);
    bool isAnyMerged = false;
    for (std::size_t i = 0; i < std::min(rows.size(), most); ++i) {
        const AreaRow &row = rows[i];
        const bool isMerged = row.processes > 1;
        isAnyMerged = isAnyMerged || isMerged;
        table.row({row.name,
            isMerged ? fmt::format("{} × {}", formatCount(row.processes), row.program)
                     : processTextOf(snapshot, row.image),
            bytesText(row.total.liveBytes), formatCount(row.total.liveBlocks), bytesText(row.total.peakBytes),
            bytesText(row.total.allocatedBytes), formatCount(row.total.allocations)});
    }
    table.write(out, options.columns, 2);
    writeRest(out, rows.size(), most, "areas");
    if (isAnyMerged)
        writeWrapped(out,
            "Of several processes together, but the peak is the greatest of one; --process PID or --format csv shows "
            "each.",
            options.columns, 2);
}

void writeMarks(std::ostream &out, const Snapshot &snapshot, const TextReportOptions &options)
{
    const std::size_t most = mostRows(options, kUsualRows);
    if (!snapshot.marks.empty()) {
        writeHeading(out, "Marks");
        TextTable table({{"", Align::Right}, {}, {}});
        for (std::size_t i = 0; i < std::min(snapshot.marks.size(), most); ++i) {
            const Mark &mark = snapshot.marks[i];
            table.row({formatOffset(mark.when, true), std::string(markKey(mark.kind)), mark.text});
        }
        table.write(out, options.columns, 2);
        writeRest(out, snapshot.marks.size(), most, "marks");
    }
    const std::vector<PhaseTotal> phases = phaseTotals(snapshot);
    if (phases.empty())
        return;
    writeHeading(out, "Phases");
    TextTable table({{"phase"}, {"times", Align::Right}, {"together", Align::Right}, {"longest", Align::Right},
        {"first at", Align::Right}});
    for (std::size_t i = 0; i < std::min(phases.size(), most); ++i) {
        const PhaseTotal &phase = phases[i];
        table.row({std::string(2 * std::min<std::size_t>(phase.depth, 10), ' ') + phase.name, formatCount(phase.count),
            formatDuration(phase.time), formatDuration(phase.longest), formatOffset(phase.first, true)});
    }
    table.write(out, options.columns, 2);
    writeRest(out, phases.size(), most, "phases");
}

} // namespace model
