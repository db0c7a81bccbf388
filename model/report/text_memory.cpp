// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/report/text_memory.h"

#include "model/aggregate/area_snapshot.h"
#include "model/aggregate/memory_parts.h"
#include "model/aggregate/phase_totals.h"
#include "model/report/session_words.h"
#include "model/report/text_parts.h"
#include "model/report/text_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <ostream>

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
    writeHeading(out,
        fmt::format("Resident memory at its height, at {}{}", formatOffset(now.when, true),
            now.isMeasured ? " when its pages were read" : ""));
    TextTable table({{}, {"", Align::Right}, {"", Align::Right}});
    for (const MemoryNow::Part &part : now.parts)
        table.row({std::string(part.label), formatBytes(part.bytes), formatShare(part.bytes / all)});
    table.row({"together", formatBytes(all), ""});
    if (now.untouchedBytes > 0)
        table.row({"requested, not resident", formatBytes(now.untouchedBytes), ""});
    table.write(out, options.columns, 2);
    if (!now.isMeasured)
        writeWrapped(out, "Which part has what is of an earlier moment, carried on by the kernel's counters.",
            options.columns, 2);
}

void writeAreas(std::ostream &out, const Snapshot &snapshot, const TextReportOptions &options)
{
    if (snapshot.areas.empty())
        return;
    writeHeading(out, "Beside the heap (--what mappings, --what pools)");
    TextTable table({{"area"}, {"process"}, {"live", Align::Right}, {"blocks", Align::Right}, {"peak", Align::Right},
        {"taken", Align::Right}, {"times", Align::Right}});
    const std::size_t most = mostRows(options, kUsualRows);
    for (std::size_t i = 0; i < std::min(snapshot.areas.size(), most); ++i) {
        const MemoryArea &area = snapshot.areas[i];
        table.row({areaName(snapshot, area), processTextOf(snapshot, area.image), bytesText(area.total.liveBytes),
            formatCount(area.total.liveBlocks), bytesText(area.total.peakBytes), bytesText(area.total.allocatedBytes),
            formatCount(area.total.allocations)});
    }
    table.write(out, options.columns, 2);
    writeRest(out, snapshot.areas.size(), most, "areas");
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
