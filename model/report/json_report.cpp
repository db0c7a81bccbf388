// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/report/json_report.h"

#include "model/aggregate/function_table.h"
#include "model/aggregate/merged_heap.h"
#include "model/aggregate/sampling_error.h"
#include "model/aggregate/stack_costs.h"
#include "model/report/json_stacks.h"
#include "model/report/session_words.h"
#include "model/report/summary_object.h"

#include <algorithm>
#include <numeric>
#include <ostream>

namespace model {

namespace {

using Json = nlohmann::ordered_json;

void write(std::ostream &out, const Json &object)
{
    out << object.dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
}

/// The members of an object that go before long lists, and the comma behind them.
void writeBegin(std::ostream &out, const Json &object)
{
    const std::string text = object.dump(2, ' ', false, Json::error_handler_t::replace);
    out << text.substr(0, text.size() - 2) << ",\n"; // without the last line, "}"
}

/// The stacks, what they refer to, and the end of the object.
void writeStacks(std::ostream &out, const std::vector<Json> &rows, const JsonStacks &tree)
{
    writeJsonRows(out, "stacks", rows);
    out << ",\n";
    tree.write(out);
    out << "\n}\n";
}

std::string text(std::string_view view) { return std::string(view); }

/// Rows in descending order of their cost.
template <typename Row> std::vector<const Row *> heaviest(const std::vector<Row> &rows, CostKind kind)
{
    std::vector<const Row *> sorted;
    for (const Row &row : rows)
        sorted.push_back(&row);
    std::stable_sort(sorted.begin(), sorted.end(),
        [kind](const Row *a, const Row *b) { return costOf(*a, kind) > costOf(*b, kind); });
    return sorted;
}

Json heapStack(const Snapshot &snapshot, JsonStacks &stacks, const MergedHeapCost &merged)
{
    const HeapCost &row = merged.cost;
    const bool isOne = merged.processes == 1;
    Json stack = {{"stack_id", row.stack.value}, {"pid", isOne ? Json(pidOf(snapshot, row.image)) : Json()},
        {"program", programOf(snapshot, row.image)}, {"processes", merged.processes}};
    const auto isKnown = [knowsPeak = knowsPeakOfStacks(snapshot)](CostKind kind) {
        return knowsPeak || (kind != CostKind::Peak && kind != CostKind::PeakBlocks);
    };
    for (const CostInfo &info : kCostKinds)
        if (info.source == CostSource::Heap && isKnown(info.kind))
            stack[text(info.column)] = costOf(row, info.kind);
    if (row.samples > 0 || isHeapSampled(snapshot)) {
        stack["samples"] = row.samples;
        addIntervals(stack, [&](CostKind kind) { return errorOf(row, kind, longestPeriod(snapshot)); });
    }
    stack["end"] = stackEndText(snapshot.tables->endOf(row.stack));
    stack["node"] = stacks.nodeOf(row.stack);
    return stack;
}

std::vector<Json> functionsOf(const Snapshot &snapshot, CostKind kind)
{
    const FunctionTable table = *functionTable(snapshot, kind);
    std::vector<Json> functions;
    const std::string column(costInfo(kind).column);
    for (const FunctionCost &row : table.rows) {
        Json function
            = {{"function", table.functions->name(row.function)}, {"module", table.functions->modulePath(row.function)},
                {"self_" + column, row.self}, {"total_" + column, row.total}, {"stacks", row.stacks}};
        if (row.file.value != 0)
            function.update({{"file", snapshot.tables->text(row.file)}, {"line", row.line}});
        functions.push_back(std::move(function));
    }
    return functions;
}

Json metricsOf(const MetricSeries &series, TimeRange span)
{
    Json times = Json::array();
    std::vector<Json> columns(kMetricCount, Json::array());
    std::vector<bool> isKnown(kMetricCount, false);
    for (std::size_t i = 0; i < series.times.size(); ++i) {
        if (series.times[i] <= span.begin || span.end < series.times[i])
            continue;
        times.push_back(series.times[i].ns);
        for (std::size_t m = 0; m < kMetricCount; ++m) {
            const std::optional<std::int64_t> value = series.values[i].get(static_cast<Metric>(m));
            columns[m].push_back(value ? Json(*value) : Json());
            isKnown[m] = isKnown[m] || value.has_value();
        }
    }
    Json object = {{"time_ns", std::move(times)}};
    for (std::size_t m = 0; m < kMetricCount; ++m)
        if (isKnown[m])
            object[text(kMetrics[m].key)] = std::move(columns[m]);
    return object;
}

} // namespace

void writeSummaryJson(std::ostream &out, const Snapshot &snapshot) { write(out, summaryObject(snapshot)); }

void writeMetricsJson(std::ostream &out, const Snapshot &snapshot)
{
    Json object = {{"selection", selectionObject(snapshot)}, {"processes", Json::array()}};
    for (const MetricSeries &series : snapshot.metrics) {
        Json process = {{"pid", snapshot.tables->processes.at(series.process.index()).pid}};
        process["metrics"] = metricsOf(series, snapshot.span);
        object["processes"].push_back(std::move(process));
    }
    write(out, object);
}

void writeHeapJson(std::ostream &out, const Snapshot &snapshot, CostKind kind, RowRange range)
{
    FunctionIndex index(snapshot.tables);
    JsonStacks tree(index);
    const std::vector<MergedHeapCost> all = heaviestHeap(snapshot, index, StackDetail::Places, kind);
    std::vector<Json> rows;
    for (const MergedHeapCost &row : rowsWithin(all, range))
        rows.push_back(heapStack(snapshot, tree, row));
    writeBegin(out,
        {{"selection", selectionObject(snapshot)}, {"sorted_by", costInfo(kind).column},
            {"heap", heapTotalsObject(snapshot)}, {"stack_count", all.size()}});
    writeStacks(out, rows, tree);
}

void writeCpuJson(std::ostream &out, const Snapshot &snapshot, RowRange range)
{
    FunctionIndex index(snapshot.tables);
    JsonStacks tree(index);
    const std::vector<const CpuCost *> all = heaviest(snapshot.cpu, CostKind::CpuTime);
    std::vector<Json> rows;
    for (const CpuCost *row : rowsWithin(all, range)) {
        const Thread &thread = snapshot.tables->threads.at(row->thread.index());
        rows.push_back({{"stack_id", row->stack.value}, {"pid", pidOf(snapshot, row->image)}, {"tid", thread.tid},
            {"thread", snapshot.tables->text(thread.name)}, {"samples", row->samples}, {"cpu_ns", row->timeNs},
            {"end", stackEndText(snapshot.tables->endOf(row->stack))}, {"node", tree.nodeOf(row->stack)}});
    }
    writeBegin(out,
        {{"selection", selectionObject(snapshot)}, {"cpu", cpuTotalsObject(snapshot)}, {"stack_count", all.size()}});
    const std::vector<Json> functions = functionsOf(snapshot, CostKind::CpuTime);
    writeJsonRows(out, "functions", functions);
    out << ",\n";
    writeStacks(out, rows, tree);
}

void writeLossesJson(std::ostream &out, const Snapshot &snapshot)
{
    const Json summary = summaryObject(snapshot);
    Json object = {{"losses", summary["losses"]}, {"stacks", summary["stacks"]}, {"where", Json::array()}};
    for (const LossTotal &loss : snapshot.losses)
        object["where"].push_back({{"kind", lossKey(loss.kind)}, {"count", loss.count},
            {"pid", loss.image.isValid() ? Json(pidOf(snapshot, loss.image)) : Json()},
            {"program", programOf(snapshot, loss.image)}, {"detail", loss.detail}, {"from_ns", loss.span.begin.ns},
            {"to_ns", loss.span.end.ns}});
    object["gaps"] = summary["gaps"];
    object["unwritten"] = summary["unwritten"];
    object["damage"] = snapshot.damage;
    write(out, object);
}

} // namespace model
