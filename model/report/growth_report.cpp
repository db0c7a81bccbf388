// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/report/growth_report.h"

#include "model/aggregate/heap_modes.h"
#include "model/aggregate/unrecorded_heap.h"
#include "model/analysis/leak_places.h"
#include "model/report/csv_writer.h"
#include "model/report/session_words.h"
#include "model/report/summary_object.h"
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

using Json = nlohmann::ordered_json;

/// A line within the selected time only.
TimeSeries cut(TimeSeries series, TimeRange span)
{
    for (std::vector<SeriesPoint> &segment : series.segments)
        std::erase_if(
            segment, [span](const SeriesPoint &point) { return point.when < span.begin || span.end < point.when; });
    std::erase_if(series.segments, [](const std::vector<SeriesPoint> &segment) { return segment.empty(); });
    return series;
}

std::optional<double> seconds(const std::optional<Duration> &duration)
{
    return duration ? std::optional(duration->seconds()) : std::nullopt;
}

/// The stacks of one function that move with a line; one process's and another's are stacks of their own.
struct GrownFunction
{
    std::string name;
    std::size_t stacks = 0;
    double share = 0;
    std::int64_t bytes = 0;
    double leastCorrelation = 0;
    double mostCorrelation = 0;
};

/// In the order of the first stack of each.
std::vector<GrownFunction> grownFunctions(const std::vector<GrowthStack> &stacks, LeakPlaces &places)
{
    std::vector<GrownFunction> functions;
    std::map<std::pair<std::string, std::string>, std::size_t> known; // module and name
    for (const GrowthStack &stack : stacks) {
        const StackLine &line = places.placeOf(stack.stack);
        const auto [found, isNew] = known.try_emplace({line.modulePath, line.name}, functions.size());
        if (isNew)
            functions.push_back({.name = shortFunctionName(line.name),
                .leastCorrelation = stack.correlation,
                .mostCorrelation = stack.correlation});
        GrownFunction &grown = functions[found->second];
        ++grown.stacks;
        grown.share += stack.share;
        grown.bytes += stack.grownBytes;
        grown.leastCorrelation = std::min(grown.leastCorrelation, stack.correlation);
        grown.mostCorrelation = std::max(grown.mostCorrelation, stack.correlation);
    }
    return functions;
}

/// "0.97", "0.93–0.97".
std::string correlationText(const GrownFunction &grown)
{
    std::string least = fmt::format("{:.2f}", grown.leastCorrelation);
    const std::string most = fmt::format("{:.2f}", grown.mostCorrelation);
    return least == most ? least : least + "–" + most;
}

/// "50 % of the 512 KiB since 0:00.800 with grow, 256 KiB (r = 0.97)": stacks are known from the first of the moments on, the line from earlier.
std::string grownText(const GrownFunction &grown, const Snapshot &snapshot)
{
    const double bytes = static_cast<double>(grown.bytes);
    const std::string whole = snapshot.growthTimes.empty() || grown.share <= 0
        ? "it"
        : fmt::format(
            "the {} since {}", formatBytes(bytes / grown.share), formatOffset(snapshot.growthTimes.front(), true));
    return fmt::format("{} of {} with {}, {} ({}r = {})", formatShare(grown.share), whole, grown.name,
        formatBytes(bytes), grown.stacks == 1 ? "" : fmt::format("{} stacks, ", grown.stacks), correlationText(grown));
}

} // namespace

std::vector<SeriesGrowth> seriesGrowth(const Snapshot &snapshot)
{
    std::vector<SeriesGrowth> all;
    for (const SeriesSource &source : std::initializer_list<SeriesSource>{Metric::Rss, Metric::Anonymous,
             HeapQuantity::LiveBytes, HeapQuantity::LiveBlocks, Metric::Threads, Metric::OpenFiles}) {
        const TimeSeries series = cut(judgedSeries(snapshot, source, snapshot.span), snapshot.span);
        if (series.isEmpty())
            continue;
        GrowthShape shape = growthShape(series);
        const bool rises = shape.pattern != GrowthPattern::NotEnough && shape.pattern != GrowthPattern::Flat;
        all.push_back({source, std::move(shape), rises ? growthStacks(snapshot, series) : std::vector<GrowthStack>()});
    }
    return all;
}

void writeGrowthText(std::ostream &out, const Snapshot &snapshot, const std::vector<SeriesGrowth> &growth,
    const TextReportOptions &options)
{
    writeTitle(out, snapshot, options);
    writeHeading(out, "Growth");
    if (growth.empty())
        writeWrapped(out, nothingToJudge(snapshot), options.columns, 2);
    FunctionIndex functions(snapshot.tables);
    LeakPlaces places(functions);
    for (const HeapCost &cost : snapshot.heap)
        places.learn(cost.stack);
    bool isTold = false; // memory grows by the same stacks, whichever way it is counted
    for (const SeriesGrowth &one : growth) {
        writeWrapped(out, fmt::format("{:<17}{}", growthPatternLabel(one.shape.pattern), one.shape.sentence),
            options.columns, 2, 17);
        for (const Timestamp &change : one.shape.changes)
            out << fmt::format("{:>19}at {}\n", "", formatOffset(change, true));
        if (!one.stacks.empty() && std::exchange(isTold, true))
            continue;
        for (const GrownFunction &grown : grownFunctions(one.stacks, places))
            writeWrapped(out, grownText(grown, snapshot), options.columns, 19);
    }
    if (const auto why = whyNoHeap(snapshot); why && snapshot.info.config.heap != HeapMode::Off)
        writeWrapped(out, fmt::format("{:<14}Live heap: {}", "Not known", *why), options.columns, 2, 14);
    writeTrust(out, snapshot, options);
}

void writeGrowthCsv(std::ostream &out, const Snapshot &, const std::vector<SeriesGrowth> &growth)
{
    CsvWriter csv(out);
    csv.row("series", "pattern", "per_hour", "per_hour_low90", "per_hour_high90", "level", "change", "explained",
        "changes", "period_s", "time_constant_s", "blocks", "block_s", "sentence");
    for (const SeriesGrowth &one : growth) {
        const GrowthShape &shape = one.shape;
        csv.row(seriesInfo(one.source).key, growthPatternKey(shape.pattern), shape.perHour, shape.perHour90.low,
            shape.perHour90.high, shape.level, shape.change, shape.explained, shape.changes.size(),
            seconds(shape.period), seconds(shape.timeConstant), shape.blocks, shape.block.seconds(), shape.sentence);
    }
}

void writeGrowthJson(std::ostream &out, const Snapshot &snapshot, const std::vector<SeriesGrowth> &growth)
{
    FunctionIndex functions(snapshot.tables);
    Json object = {{"selection", selectionObject(snapshot)}, {"series", Json::array()}};
    for (const SeriesGrowth &one : growth) {
        const GrowthShape &shape = one.shape;
        Json row = {{"series", seriesInfo(one.source).key}, {"pattern", growthPatternKey(shape.pattern)},
            {"sentence", shape.sentence}, {"per_hour", shape.perHour},
            {"per_hour_interval90", {shape.perHour90.low, shape.perHour90.high}}, {"level", shape.level},
            {"change", shape.change}, {"explained", shape.explained}, {"blocks", shape.blocks},
            {"block_ns", shape.block.ns}, {"changes_ns", Json::array()}, {"stacks", Json::array()}};
        if (shape.period)
            row["period_ns"] = shape.period->ns;
        if (shape.timeConstant)
            row["time_constant_ns"] = shape.timeConstant->ns;
        for (const Timestamp &change : shape.changes)
            row["changes_ns"].push_back(change.ns);
        for (const GrowthStack &stack : one.stacks)
            row["stacks"].push_back({{"stack_id", stack.stack.value}, {"pid", pidOf(snapshot, stack.image)},
                {"grown_bytes", stack.grownBytes}, {"share", stack.share}, {"correlation", stack.correlation},
                {"stack", collapsedStack(functions, stack.stack)}});
        object["series"].push_back(std::move(row));
    }
    out << object.dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
}

} // namespace model
