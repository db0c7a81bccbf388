// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/report/activity_report.h"

#include "model/aggregate/activity_totals.h"
#include "model/aggregate/function_index.h"
#include "model/aggregate/own_code.h"
#include "model/base/format_estimate.h"
#include "model/report/csv_writer.h"
#include "model/report/distinct_names.h"
#include "model/report/json_stacks.h"
#include "model/report/session_words.h"
#include "model/report/summary_object.h"
#include "model/report/text_parts.h"
#include "model/report/text_table.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <map>
#include <ostream>
#include <tuple>

namespace model {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kNameColumns = 32;
constexpr std::size_t kUsualCalls = 20;

std::string heading(CostSource source) { return source == CostSource::Wait ? "Waits" : "System calls"; }

/// What is known of an activity at one function of the program's own.
struct PlaceTotal
{
    StackLine line;
    ActivityTotal total;
};

std::int64_t weight(const ActivityTotal &total, CostSource source)
{
    return source == CostSource::Wait ? total.timeNs : total.count;
}

/// The function of the program's own that a stack goes through; in a program of system libraries alone what called the C library.
StackLine placeOf(FunctionIndex &index, StackId stack)
{
    StackLine own = ownLine(index, stack);
    if (!own.modulePath.starts_with('['))
        return own;
    const std::vector<StackLine> lines = stackLines(index, stack);
    for (std::size_t i = 1; i < lines.size(); ++i)
        if (!lines[i].moduleName.starts_with("libc.") && !lines[i].name.empty())
            return lines[i];
    return own;
}

std::vector<PlaceTotal> places(const Snapshot &snapshot, CostSource source)
{
    FunctionIndex index(snapshot.tables);
    std::map<std::tuple<std::string, std::string, std::uint32_t>, PlaceTotal> sums;
    for (const ActivityCost &row : snapshot.activities) {
        if (row.activity.isWait() != (source == CostSource::Wait))
            continue;
        StackLine line = placeOf(index, row.stack);
        PlaceTotal &place = sums[{line.name, line.modulePath, row.activity.value}];
        place.line = std::move(line);
        place.total.activity = row.activity;
        place.total += row;
    }
    std::vector<PlaceTotal> found;
    for (auto &[key, place] : sums)
        found.push_back(std::move(place));
    std::stable_sort(found.begin(), found.end(), [source](const PlaceTotal &a, const PlaceTotal &b) {
        return weight(a.total, source) > weight(b.total, source);
    });
    return found;
}

std::string perCall(const ActivityTotal &total)
{
    return total.bytes > 0 && total.count > 0
        ? formatBytes(static_cast<double>(total.bytes) / static_cast<double>(total.count))
        : std::string();
}

std::string aboutTime(const ActivityTotal &total, std::int64_t ns)
{
    return (total.estimated > 0 ? "~" : "") + formatDuration({ns});
}

std::string counted(std::int64_t count) { return count > 0 ? formatCount(count) : std::string(); }

void writeCalls(std::ostream &out, const std::vector<ActivityTotal> &totals, const Snapshot &snapshot,
    const TextReportOptions &options)
{
    TextTable table({{"calls", Align::Right}, {"a second", Align::Right}, {"time", Align::Right},
        {"a call", Align::Right}, {"failed", Align::Right}, {"bytes a call", Align::Right}, {"call"}});
    const double seconds = std::max(snapshot.span.length().seconds(), 1e-3);
    for (std::size_t i = 0; i < std::min(totals.size(), mostRows(options, kUsualCalls)); ++i) {
        const ActivityTotal &total = totals[i];
        table.row(
            {formatEstimate(total.count, total.estimated), formatShortCount(static_cast<double>(total.count) / seconds),
                aboutTime(total, total.timeNs), aboutTime(total, total.timeNs / std::max<std::int64_t>(total.count, 1)),
                counted(total.errors), perCall(total), activityKey(total.activity)});
    }
    table.write(out, options.columns, 2);
}

void writeClasses(std::ostream &out, const std::vector<ActivityTotal> &totals, const Snapshot &snapshot,
    const TextReportOptions &options)
{
    const std::int64_t all = activityTotal(snapshot, CostKind::WaitTime);
    TextTable table(
        {{"time", Align::Right}, {"of all", Align::Right}, {"waits", Align::Right}, {"a wait", Align::Right}, {"for"}});
    for (const ActivityTotal &total : totals)
        table.row({formatDuration({total.timeNs}), formatShareOf(total.timeNs, all), formatCount(total.count),
            formatDuration({total.timeNs / std::max<std::int64_t>(total.count, 1)}),
            std::string(costInfo(static_cast<CostKind>(static_cast<std::size_t>(CostKind::WaitLock)
                                     + static_cast<std::size_t>(total.activity.waitClass())))
                            .label)});
    table.write(out, options.columns, 2);
    writeWrapped(out,
        fmt::format("{} of it is blocked time: locks, I/O, memory and what is not known. In the rest threads have "
                    "nothing to do, or others have the processor.",
            formatDuration({activityTotal(snapshot, CostKind::Blocked)})),
        options.columns, 2);
}

void writePlaces(std::ostream &out, const Snapshot &snapshot, CostSource source, const TextReportOptions &options)
{
    TextTable table({{source == CostSource::Wait ? "time" : "calls", Align::Right},
        {source == CostSource::Wait ? "waits" : "time", Align::Right}, {source == CostSource::Wait ? "for" : "call"},
        {"function"}, {"place"}});
    std::vector<PlaceTotal> all = places(snapshot, source);
    all.erase(all.begin() + static_cast<std::ptrdiff_t>(std::min(all.size(), options.stacks)), all.end());
    std::vector<NamedRow> rows; // of the same call or wait
    for (const auto &[line, total] : all) {
        const std::string where = shortPlace(line.file, line.line);
        rows.push_back({line.name.empty() ? "unknown" : line.name,
            (where.empty() ? line.moduleName : where) + ' ' + activityKey(total.activity)});
    }
    const std::vector<std::string> names = distinctNames(rows, kNameColumns);
    for (std::size_t i = 0; i < all.size(); ++i) {
        const PlaceTotal &place = all[i];
        const std::string count = formatEstimate(place.total.count, place.total.estimated),
                          time = aboutTime(place.total, place.total.timeNs);
        std::string where = shortPlace(place.line.file, place.line.line);
        table.row({source == CostSource::Wait ? time : count, source == CostSource::Wait ? count : time,
            activityKey(place.total.activity), names[i], where.empty() ? place.line.moduleName : where});
    }
    table.write(out, options.columns, 2);
}

std::vector<const ActivityCost *> heaviest(const Snapshot &snapshot, CostSource source)
{
    std::vector<const ActivityCost *> rows;
    for (const ActivityCost &row : snapshot.activities)
        if (row.activity.isWait() == (source == CostSource::Wait))
            rows.push_back(&row);
    const CostKind kind = mainCostOf(source);
    std::stable_sort(rows.begin(), rows.end(),
        [kind](const ActivityCost *a, const ActivityCost *b) { return costOf(*a, kind) > costOf(*b, kind); });
    return rows;
}

} // namespace

CostKind mainCostOf(CostSource source)
{
    return source == CostSource::Wait ? CostKind::WaitTime : CostKind::SystemCalls;
}

void writeActivityText(std::ostream &out, const Snapshot &snapshot, CostSource source, const TextReportOptions &options)
{
    writeTitle(out, snapshot, options);
    writeHeading(out, heading(source));
    if (const std::string why = whyNotRecorded(snapshot, source); !why.empty())
        return writeWrapped(out, why, options.columns, 2);
    if (!snapshot.info.activityNote.empty())
        writeWrapped(out, snapshot.info.activityNote, options.columns, 2);
    const std::vector<ActivityTotal> totals = activityTotals(snapshot, source);
    if (totals.empty())
        return writeWrapped(out, "None in what is selected.", options.columns, 2);
    ActivityTotal all;
    for (const ActivityTotal &total : totals) {
        all.count += total.count;
        all.ownStacks += total.ownStacks;
        all.estimated += total.estimated;
    }
    if (source == CostSource::Wait)
        writeClasses(out, totals, snapshot, options);
    else
        writeCalls(out, totals, snapshot, options);
    std::string trust = all.ownStacks > 0
        ? fmt::format("{} were counted; of {} the stack was copied, the others stand at the last stack that was copied "
                      "at the same place, or without callers.",
            formatCount(all.count - all.estimated), formatShareOf(all.ownStacks, all.count))
        : fmt::format("{} were counted; of none was the stack copied.", formatCount(all.count - all.estimated));
    if (all.estimated > 0)
        trust += fmt::format(" {} more came too fast to be recorded one by one, and are shared out "
                             "in proportion to those just before: what has a ~ is an estimate.",
            formatCount(all.estimated));
    writeWrapped(out, trust, options.columns, 2);
    writeHeading(out, source == CostSource::Wait ? "Where threads wait" : "Where they are made");
    writePlaces(out, snapshot, source, options);
    writeTrust(out, snapshot, options);
}

void writeActivityCsv(std::ostream &out, const Snapshot &snapshot, CostSource source, RowRange range)
{
    CsvWriter csv(out);
    const bool isWait = source == CostSource::Wait;
    csv.row("pid", "program", "tid", "thread", isWait ? "waits_for" : "call", isWait ? "waits" : "calls", "time_ns",
        "errors", "bytes", "own_stacks", "estimated", "stack_id", "stack");
    FunctionIndex index(snapshot.tables);
    const std::vector<const ActivityCost *> all = heaviest(snapshot, source);
    for (const ActivityCost *row : rowsWithin(all, range)) {
        const Thread &thread = snapshot.tables->threads.at(row->thread.index());
        csv.row(pidOf(snapshot, row->image), programOf(snapshot, row->image), thread.tid,
            snapshot.tables->text(thread.name), activityKey(row->activity), row->count, row->timeNs, row->errors,
            row->bytes, row->ownStacks, row->estimated, row->stack.value, collapsedStack(index, row->stack));
    }
}

void writeActivityJson(std::ostream &out, const Snapshot &snapshot, CostSource source, RowRange range)
{
    FunctionIndex index(snapshot.tables);
    JsonStacks tree(index);
    std::vector<Json> totals, rows;
    for (const ActivityTotal &total : activityTotals(snapshot, source))
        totals.push_back({{source == CostSource::Wait ? "waits_for" : "call", activityKey(total.activity)},
            {"count", total.count}, {"time_ns", total.timeNs}, {"errors", total.errors}, {"bytes", total.bytes},
            {"own_stacks", total.ownStacks}, {"estimated", total.estimated}});
    const std::vector<const ActivityCost *> all = heaviest(snapshot, source);
    for (const ActivityCost *row : rowsWithin(all, range)) {
        const Thread &thread = snapshot.tables->threads.at(row->thread.index());
        rows.push_back({{"stack_id", row->stack.value}, {"pid", pidOf(snapshot, row->image)}, {"tid", thread.tid},
            {source == CostSource::Wait ? "waits_for" : "call", activityKey(row->activity)}, {"count", row->count},
            {"time_ns", row->timeNs}, {"errors", row->errors}, {"bytes", row->bytes}, {"own_stacks", row->ownStacks},
            {"estimated", row->estimated}, {"end", stackEndText(snapshot.tables->endOf(row->stack))},
            {"node", tree.nodeOf(row->stack)}});
    }
    const Json head = {{"selection", selectionObject(snapshot)}, {"recorded", isRecorded(snapshot, source)},
        {"note", snapshot.info.activityNote}, {"stack_count", all.size()}};
    const std::string begin = head.dump(2, ' ', false, Json::error_handler_t::replace);
    out << begin.substr(0, begin.size() - 2) << ",\n"; // without the last line, "}"
    writeJsonRows(out, "totals", totals);
    out << ",\n";
    writeJsonRows(out, "stacks", rows);
    out << ",\n";
    tree.write(out);
    out << "\n}\n";
}

} // namespace model
