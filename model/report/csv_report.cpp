// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/report/csv_report.h"

#include "model/aggregate/area_snapshot.h"
#include "model/aggregate/heap_modes.h"
#include "model/aggregate/merged_heap.h"
#include "model/aggregate/sampling_error.h"
#include "model/aggregate/stack_text.h"
#include "model/heap/size_bins.h"
#include "model/report/csv_writer.h"
#include "model/report/session_words.h"
#include "model/report/summary_object.h"

#include <algorithm>
#include <map>

namespace model {

namespace {

using Json = nlohmann::ordered_json;

std::string jsonText(const Json &value)
{
    if (value.is_null())
        return {};
    return value.is_string() ? value.get<std::string>() : value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// "heap,peak_bytes" as `heap.peak_bytes`; lists are left to the JSON report.
void flatten(CsvWriter &csv, const std::string &prefix, const Json &object)
{
    for (const auto &[key, value] : object.items()) {
        if (value.is_object())
            flatten(csv, prefix + key + '.', value);
        else if (!value.is_array())
            csv.row(prefix + key, jsonText(value));
    }
}

} // namespace

void writeSummaryCsv(std::ostream &out, const Snapshot &snapshot)
{
    CsvWriter csv(out);
    csv.row("key", "value");
    flatten(csv, "", summaryObject(snapshot));
}

void writeMetricsCsv(std::ostream &out, const Snapshot &snapshot)
{
    CsvWriter csv(out);
    csv.fields("time_s", "time", "pid");
    for (const MetricInfo &info : kMetrics)
        csv.field(info.key);
    csv.row("heap_sample_period_bytes");
    const std::vector<HeapModeSpan> spans = heapModeSpans(snapshot);
    for (const MetricSeries &series : snapshot.metrics)
        for (std::size_t i = 0; i < series.times.size(); ++i) {
            const Timestamp when = series.times[i];
            if (when <= snapshot.span.begin || snapshot.span.end < when)
                continue;
            csv.fields(
                when.seconds(), dateTimeOf(snapshot, when), snapshot.tables->processes.at(series.process.index()).pid);
            for (const MetricInfo &info : kMetrics)
                csv.field(series.values[i].get(info.metric));
            csv.field(heapPeriodAt(snapshot, spans, series.process, when));
            csv.end();
        }
}

SeriesColumn seriesColumn(const TimeSeries &series)
{
    // Metrics are stored in thousandths of a percent, and shown in percent.
    constexpr std::string_view kStored = "_millipercent", kShown = "_percent";
    std::string key(seriesInfo(series.source).key);
    if (key.ends_with(kStored))
        key.replace(key.size() - kStored.size(), kStored.size(), kShown);
    return {std::move(key), series};
}

void writeSeriesCsv(
    std::ostream &out, const Snapshot &snapshot, const std::vector<SeriesColumn> &columns, TimeRange range)
{
    CsvWriter csv(out);
    csv.fields("time_s", "time");
    std::map<Timestamp, std::vector<std::optional<double>>> rows;
    for (std::size_t i = 0; i < columns.size(); ++i) {
        csv.field(columns[i].key);
        for (const std::vector<SeriesPoint> &segment : columns[i].series.segments)
            for (const SeriesPoint &point : segment)
                if (range.begin <= point.when && point.when <= range.end)
                    rows.try_emplace(point.when, columns.size()).first->second[i] = point.value;
    }
    csv.end();
    for (const auto &[when, values] : rows) {
        csv.fields(when.seconds(), dateTimeOf(snapshot, when));
        for (const std::optional<double> &value : values)
            csv.field(value);
        csv.end();
    }
}

void writeHeapStacksCsv(std::ostream &out, const Snapshot &snapshot, CostKind kind, RowRange range)
{
    CsvWriter csv(out);
    csv.fields("pid", "program", "stack_id");
    for (const CostInfo &info : kCostKinds)
        if (info.source == CostSource::Heap)
            csv.field(info.column);
    const bool isSampled = isHeapSampled(snapshot);
    const std::int64_t period = longestPeriod(snapshot);
    if (isSampled) {
        csv.field("samples");
        for (const CostKind error : kCostsWithError)
            csv.fields(std::string(costInfo(error).column) + "_low95", std::string(costInfo(error).column) + "_high95");
    }
    csv.row("processes", "stack");
    FunctionIndex index(snapshot.tables);
    const bool knowsPeak = knowsPeakOfStacks(snapshot);
    const std::vector<MergedHeapCost> all = heaviestHeap(snapshot, index, StackDetail::Functions, kind);
    for (const MergedHeapCost &merged : rowsWithin(all, range)) {
        const HeapCost *row = &merged.cost;
        csv.field(merged.processes == 1 ? std::optional(pidOf(snapshot, row->image)) : std::nullopt);
        csv.fields(programOf(snapshot, row->image), row->stack.value);
        for (const CostInfo &info : kCostKinds)
            if (info.source == CostSource::Heap) {
                const bool isPeak = info.kind == CostKind::Peak || info.kind == CostKind::PeakBlocks;
                csv.field(isPeak && !knowsPeak ? std::nullopt : std::optional(costOf(*row, info.kind)));
            }
        if (isSampled) {
            csv.field(row->samples);
            for (const CostKind error : kCostsWithError) {
                const std::int64_t cost = costOf(*row, error);
                const ErrorInterval interval = errorOf(*row, error, period).value_or(ErrorInterval{cost, cost});
                csv.fields(interval.low, interval.high);
            }
        }
        csv.row(merged.processes, collapsedStack(index, row->stack));
    }
}

void writeAreasCsv(std::ostream &out, const Snapshot &snapshot)
{
    CsvWriter csv(out);
    csv.row("pid", "program", "kind", "area", "live_bytes", "live_blocks", "peak_bytes", "taken_bytes", "taken",
        "given_back_bytes", "given_back");
    for (const MemoryArea &area : snapshot.areas)
        csv.row(pidOf(snapshot, area.image), programOf(snapshot, area.image), areaKindKey(area.kind),
            snapshot.tables->text(area.name), area.total.liveBytes, area.total.liveBlocks, area.total.peakBytes,
            area.total.allocatedBytes, area.total.allocations, area.total.freedBytes, area.total.frees);
}

void writeCpuStacksCsv(std::ostream &out, const Snapshot &snapshot, RowRange range)
{
    CsvWriter csv(out);
    csv.row("pid", "program", "tid", "thread", "stack_id", "samples", "cpu_ns", "stack");
    FunctionIndex index(snapshot.tables);
    const std::vector<CpuCost> all = heaviestCpu(snapshot, index);
    for (const CpuCost &row : rowsWithin(all, range)) {
        const Thread &thread = snapshot.tables->threads.at(row.thread.index());
        csv.row(pidOf(snapshot, row.image), programOf(snapshot, row.image), thread.tid,
            snapshot.tables->text(thread.name), row.stack.value, row.samples, row.timeNs,
            collapsedStack(index, row.stack));
    }
}

void writeFunctionsCsv(std::ostream &out, const FunctionTable &table)
{
    CsvWriter csv(out);
    const std::string column(costInfo(table.kind).column);
    csv.row("function", "module", "file", "line", "self_" + column, "total_" + column, "stacks");
    for (const FunctionCost &row : table.rows)
        csv.row(table.functions->name(row.function), table.functions->modulePath(row.function),
            table.functions->tables()->text(row.file), row.line, row.self, row.total, row.stacks);
}

void writeCallTreeCsv(std::ostream &out, const CallTree &tree)
{
    CsvWriter csv(out);
    csv.fields("depth", "function", "module", "file", "line", "inlined", "recursion");
    for (const CostKind kind : tree.kinds())
        csv.fields("self_" + std::string(costInfo(kind).column), "total_" + std::string(costInfo(kind).column));
    csv.end();
    std::vector<NodeId> pending{CallTree::root()};
    while (!pending.empty()) {
        const NodeId id = pending.back();
        pending.pop_back();
        const CallNode &node = tree.node(id);
        csv.fields(node.depth, tree.name(id), tree.functions().modulePath(node.function),
            tree.functions().tables()->text(node.file), node.line, node.isInlined ? 1 : 0, node.recursion);
        for (std::size_t column = 0; column < tree.kinds().size(); ++column)
            csv.fields(tree.self(id, column), tree.total(id, column));
        csv.end();
        for (std::uint32_t row = node.childCount; row-- > 0;)
            pending.push_back(tree.child(id, row));
    }
}

void writeHeatMapCsv(std::ostream &out, const Snapshot &snapshot, const HeatMap &map)
{
    CsvWriter csv(out);
    csv.row("from_s", "to_s", "from", "size_from_bytes", "size_to_bytes",
        map.weight == HeatWeight::Bytes ? "allocated_bytes" : "allocations");
    for (std::size_t column = 0; column < map.columns; ++column)
        for (std::size_t row = 0; row < map.rows; ++row) {
            if (map.at(column, row) <= 0)
                continue;
            const TimeRange span = map.columnSpan(column);
            const auto bin = static_cast<std::uint16_t>(map.firstBin + row);
            const bool isLast = bin + 1 == kSizeBinCount; // holds everything larger, too
            csv.fields(span.begin.seconds(), span.end.seconds(), dateTimeOf(snapshot, span.begin), sizeBinBegin(bin));
            if (isLast)
                csv.field("");
            else
                csv.field(sizeBinBegin(static_cast<std::uint16_t>(bin + 1)));
            csv.row(map.at(column, row));
        }
}

void writeLossesCsv(std::ostream &out, const Snapshot &snapshot)
{
    CsvWriter csv(out);
    csv.row("loss", "count");
    const std::array<std::int64_t, kLossKindCount> counts = lossCounts(snapshot);
    for (std::size_t kind = 0; kind < counts.size(); ++kind)
        csv.row(lossKey(static_cast<LossKind>(kind)), counts[kind]);
}

} // namespace model
