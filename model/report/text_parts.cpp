// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/report/text_parts.h"

#include "model/analysis/coverage.h"
#include "model/base/format_counted.h"
#include "model/base/format_units.h"
#include "model/report/session_words.h"
#include "model/report/text_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <ostream>

namespace model {

namespace {

constexpr std::size_t kMostFrames = 24;
constexpr std::size_t kNameColumns = 48;

} // namespace

std::size_t mostRows(const TextReportOptions &options, std::size_t usual)
{
    return options.rows > 0 ? options.rows : usual;
}

void writeRest(std::ostream &out, std::size_t count, std::size_t most, std::string_view what)
{
    if (count > most)
        out << fmt::format("  … and {} more {} (--format json lists all)\n", count - most, what);
}

std::string nothingToJudge(const Snapshot &snapshot)
{
    if (snapshot.metrics.empty())
        return "No metrics were recorded.";
    const auto ticks = std::count_if(snapshot.tickEnds.begin(), snapshot.tickEnds.end(),
        [&span = snapshot.span](Timestamp end) { return span.begin < end && end <= span.end; });
    return fmt::format("{} too few to see how anything develops. {}",
        ticks == 1 ? "1 tick is" : formatCount(ticks) + " ticks are",
        snapshot.selection.time || snapshot.selection.process ? "Select more of the recording."
                                                              : "Record for longer, or with a shorter --tick.");
}

void writeFrames(std::ostream &out, FunctionIndex &index, StackId stack, std::size_t columns)
{
    constexpr std::size_t kIndent = 7;
    const bool isNarrow = columns < kUsualColumns;
    const std::size_t nameColumns = isNarrow ? columns * kNameColumns / kUsualColumns : kNameColumns;
    const std::vector<StackLine> lines = stackLines(index, stack);
    for (std::size_t i = 0; i < std::min(lines.size(), kMostFrames); ++i) {
        const StackLine &line = lines[i];
        const std::string name = elided(shortFunctionName(line.name), nameColumns);
        std::string place = shortPlace(line.file, line.line);
        if (place.empty())
            place = onOneLine(line.moduleName);
        if (line.isInlined)
            place += " (inlined)";
        if (isNarrow)
            place = elided(place, columns - std::min(columns, kIndent + nameColumns + 2));
        const std::string padding(nameColumns - std::min(nameColumns, textWidth(name)), ' ');
        out << std::string(kIndent, ' ') << name << (place.empty() ? "" : padding + "  " + place) << '\n';
    }
    if (lines.size() > kMostFrames)
        out << fmt::format(
            "       … and {}\n", formatCounted(static_cast<std::int64_t>(lines.size() - kMostFrames), "caller"));
}

void writeHeading(std::ostream &out, std::string_view text) { out << '\n' << text << '\n'; }

void writeTitle(std::ostream &out, const Snapshot &snapshot, const TextReportOptions &options)
{
    const SessionInfo &info = snapshot.info;
    out << elided(commandText(snapshot), options.columns) << '\n';
    std::string start = dateTimeOf(snapshot, {});
    if (start.size() > 10)
        start[10] = ' ';
    const std::string kept = keptText(snapshot);
    const std::string line = fmt::format("pid {} · {} · {} in {} {} · {}", mainPid(snapshot), start,
        formatDuration(info.duration), formatCount(static_cast<std::int64_t>(snapshot.tickEnds.size())),
        std::string(kept.empty() ? "tick" : "step") + (snapshot.tickEnds.size() == 1 ? "" : "s"), endingText(snapshot));
    if (options.columns < kUsualColumns)
        writeWrapped(out, line, options.columns, 0, 2);
    else
        out << line << '\n';
    const TimeRange whole{{0}, {info.duration.ns}};
    if (snapshot.span != whole || snapshot.selection.process || snapshot.selection.thread) {
        out << fmt::format(
            "showing {} – {}", formatOffset(snapshot.span.begin, true), formatOffset(snapshot.span.end, true));
        if (snapshot.selection.process)
            out << fmt::format(", pid {}", snapshot.tables->processes.at(snapshot.selection.process->index()).pid);
        if (snapshot.selection.thread)
            out << fmt::format(", thread {}", snapshot.tables->threads.at(snapshot.selection.thread->index()).tid);
        if (const std::string asked = askedText(snapshot); !asked.empty())
            out << fmt::format(" ({})", asked);
        out << '\n';
    }
    if (!kept.empty())
        writeWrapped(out, "kept: " + kept, options.columns, 0, 2);
    if (info.unwritten)
        writeWrapped(out, unwrittenText(info) + '.', options.columns, 0, 2);
    if (const std::string redacted = redactionText(info); !redacted.empty())
        writeWrapped(out, redacted, options.columns, 0, 2);
    if (!snapshot.coarsened.empty())
        writeWrapped(out, snapshot.coarsened, options.columns, 0, 2);
}

void writeTrust(std::ostream &out, const Snapshot &snapshot, const TextReportOptions &options)
{
    const Coverage trust = coverage(snapshot);
    writeHeading(out, "How far to trust this");
    if (trust.items.empty()) {
        writeWrapped(out, trust.sentence, options.columns, 2);
        return;
    }
    for (const CoverageItem &item : trust.items) {
        const std::string_view mark = item.trust == Trust::Partial ? "! " : "· ";
        writeWrapped(out, fmt::format("{}{}: {}.", mark, item.what, item.effect), options.columns, 2, 2);
    }
}

} // namespace model
