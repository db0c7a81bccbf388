// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/report/hot_report.h"

#include "model/aggregate/activity_totals.h"
#include "model/analysis/hot_paths.h"
#include "model/base/format_interval.h"
#include "model/report/csv_writer.h"
#include "model/report/distinct_names.h"
#include "model/report/text_parts.h"
#include "model/report/text_table.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <limits>
#include <ostream>

namespace model {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kNameColumns = 28;

HotSpots hotOf(const Snapshot &snapshot, CostKind kind, std::size_t most)
{
    return *hotSpots(snapshot, kind, most > 0 ? most : std::numeric_limits<std::size_t>::max());
}

std::string percentText(const Interval &share)
{
    return intervalParts(share.low * 100, share.high * 100, Unit::Percent).numbers;
}

void writeFunctions(std::ostream &out, const HotSpots &hot, bool isExact, std::size_t columns)
{
    TextTable table({{"", Align::Right}, {"self", Align::Right}, {isExact ? "" : "interval", Align::Right},
        {"total", Align::Right}, {"function"}, {"place"}});
    const std::vector<NamedRow> rows = namedRows(*hot.table.functions, hot.functions);
    const std::vector<std::string> names = distinctNames(rows, kNameColumns);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const HotFunction &function = hot.functions[i];
        table.row({std::to_string(function.rank), formatShare(function.selfShare),
            isExact ? std::string() : percentText(function.selfShare95), formatShare(function.totalShare), names[i],
            rows[i].place});
    }
    table.write(out, columns, 2);
}

void writePath(
    std::ostream &out, const Snapshot &snapshot, const HotSpots &hot, const HotPath &path, std::size_t columns)
{
    const std::size_t first = path.fork > 0 ? path.fork - 1 : 0; // where it leaves a path that was written already
    for (std::size_t i = first; i < path.nodes.size(); ++i) {
        const CallNode &node = hot.tree.node(path.nodes[i]);
        const std::string indent(std::min<std::size_t>(i - first, 20), ' ');
        std::string name = shortFunctionName(hot.tree.name(path.nodes[i]));
        if (node.recursion > 1)
            name += fmt::format(" (calls itself, {} deep)", node.recursion);
        if (i < path.fork)
            name = (i > 0 ? "… " : "") + name + " (as above)";
        out << fmt::format("  {:>7}  {}{}\n", formatShareOf(hot.tree.total(path.nodes[i]), hot.tree.all()), indent,
            elided(name, columns - 12 - indent.size()));
    }
    const CallNode &last = hot.tree.node(path.nodes.back());
    const std::string place = shortPlace(snapshot.tables->text(last.file), last.line);
    const bool isExact = path.share95.low == path.share95.high;
    out << fmt::format("           {}{}{}\n", path.endsInSelf ? "spent in its own code" : "splits into small parts",
        isExact ? std::string() : ", " + percentText(path.share95) + " %", place.empty() ? "" : ", " + place);
}

Json jsonOf(const Interval &interval) { return Json::array({interval.low, interval.high}); }

} // namespace

void writeHotText(std::ostream &out, const Snapshot &snapshot, CostKind kind, const TextReportOptions &options)
{
    writeTitle(out, snapshot, options);
    const std::string label(costInfo(kind).label);
    if (!isRecorded(snapshot.info, costInfo(kind).source)) {
        writeHeading(out, label);
        return writeWrapped(out,
            fmt::format("This was not recorded; genprof record {} does.", optionFor(costInfo(kind).source)),
            options.columns, 2);
    }
    const CostSource source = costInfo(kind).source;
    const bool isActivity = source == CostSource::SystemCall || source == CostSource::Wait;
    if (isActivity && !isRecorded(snapshot, source)) {
        writeHeading(out, label);
        return writeWrapped(out, whyNotRecorded(snapshot, source), options.columns, 2);
    }
    const HotSpots hot = hotOf(snapshot, kind, options.stacks);
    const bool isExact = hot.isExact();
    if (hot.functions.empty()) {
        writeHeading(out, label);
        return writeWrapped(out, "Nothing in what is selected.", options.columns, 2);
    }
    writeHeading(out,
        fmt::format(
            "{}: functions by their own part{}; equal ranks are ties", label, isExact ? "" : " (95 % interval)"));
    writeFunctions(out, hot, isExact, options.columns);
    if (const std::string missed = missedSamplesText(snapshot); !isExact && !missed.empty())
        writeWrapped(out, missed, options.columns, 2);
    if (hot.tracerNs > 0)
        writeWrapped(out,
            fmt::format("{} in the tracer ({} of all samples) are left out.", formatDuration({hot.tracerNs}),
                formatShareOf(hot.tracerNs, snapshot.cpuSummary.timeNs)),
            options.columns, 2);
    writeHeading(out, "Where most of it flows");
    for (const HotPath &path : hot.paths) {
        out << fmt::format("  {}.\n", path.rank); // once more for a tie, or it would read as part of the path before
        writePath(out, snapshot, hot, path, options.columns);
    }
    writeTrust(out, snapshot, options);
}

void writeHotCsv(std::ostream &out, const Snapshot &snapshot, CostKind kind, std::size_t most)
{
    const HotSpots hot = hotOf(snapshot, kind, most);
    const std::string column(costInfo(kind).column);
    CsvWriter csv(out);
    csv.row("rank", "function", "module", "file", "line", "self_" + column, "self_share", "self_share_low95",
        "self_share_high95", "total_" + column, "total_share", "total_share_low95", "total_share_high95");
    for (const HotFunction &each : hot.functions)
        csv.row(each.rank, hot.table.functions->name(each.function), hot.table.functions->moduleName(each.function),
            snapshot.tables->text(each.file), each.line, each.self, each.selfShare, each.selfShare95.low,
            each.selfShare95.high, each.total, each.totalShare, each.totalShare95.low, each.totalShare95.high);
}

void writeHotJson(std::ostream &out, const Snapshot &snapshot, CostKind kind, std::size_t most)
{
    const HotSpots hot = hotOf(snapshot, kind, most);
    Json functions = Json::array();
    for (const HotFunction &each : hot.functions)
        functions.push_back({{"rank", each.rank}, {"function", hot.table.functions->name(each.function)},
            {"module", hot.table.functions->moduleName(each.function)}, {"file", snapshot.tables->text(each.file)},
            {"line", each.line}, {"self", each.self}, {"self_share", each.selfShare},
            {"self_share_interval95", jsonOf(each.selfShare95)}, {"total", each.total},
            {"total_share", each.totalShare}, {"total_share_interval95", jsonOf(each.totalShare95)}});
    Json paths = Json::array();
    for (const HotPath &path : hot.paths) {
        Json frames = Json::array();
        for (const NodeId node : path.nodes)
            frames.push_back({{"function", hot.tree.name(node)}, {"total", hot.tree.total(node)},
                {"recursion", hot.tree.node(node).recursion}});
        paths.push_back({{"rank", path.rank}, {"total", path.total}, {"self", path.self}, {"share", path.share},
            {"share_interval95", jsonOf(path.share95)}, {"ends_in_self", path.endsInSelf}, {"fork", path.fork},
            {"frames", std::move(frames)}});
    }
    const Json all{{"cost", costInfo(kind).column}, {"all", hot.table.all}, {"samples", hot.samples.taken},
        {"samples_missed", hot.samples.missed}, {"tracer_ns", hot.tracerNs}, {"functions", std::move(functions)},
        {"paths", std::move(paths)}};
    out << all.dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
}

} // namespace model
