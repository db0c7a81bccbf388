// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/aggregate/call_tree.h"
#include "model/aggregate/function_table.h"
#include "model/aggregate/heat_map.h"
#include "model/aggregate/time_series.h"
#include "model/analysis/forecast.h"
#include "model/analysis/recommendations.h"
#include "model/analysis/summary.h"
#include "model/report/row_range.h"
#include "model/snapshot.h"

#include <iosfwd>
#include <vector>

namespace model {

// Tables as RFC 4180, but for rows that end in a newline alone: a header line, names in snake_case with unit suffix, fields quoted where needed, control
// characters escaped (\n, \t, \x01). Times are `time_s`, seconds since the recording began, and `time` as ISO 8601. They never fail; check the stream.

/// Key and value of each total, as the JSON summary has them: "heap.peak_bytes,123".
void writeSummaryCsv(std::ostream &out, const Snapshot &snapshot);
/// The overview's cards.
void writeCardsCsv(std::ostream &out, const Summary &summary);
/// One row a process and tick within the selection, one column a metric; empty where a value is absent.
void writeMetricsCsv(std::ostream &out, const Snapshot &snapshot);
/// A line of a chart as a column of a table.
struct SeriesColumn
{
    std::string key; ///< the header: snake_case with the unit of the values as suffix
    TimeSeries series;
};
/// The column of a source that is shown as it is: its key, with the unit that its values have ("cpu_user_percent").
SeriesColumn seriesColumn(const TimeSeries &series);
/// Lines of a chart within `range`, one row a moment, one column a series; empty in gaps.
void writeSeriesCsv(
    std::ostream &out, const Snapshot &snapshot, const std::vector<SeriesColumn> &columns, TimeRange range);
/// One row a program and heap stack with all its costs, heaviest by `kind` first; the stack collapsed in the last column. Stacks of functions that
/// read alike are one row, of however many processes: `processes` says of how many, `pid` is empty where they are several, and `stack_id` is
/// one of theirs.
void writeHeapStacksCsv(std::ostream &out, const Snapshot &snapshot, CostKind kind, RowRange range = {});
/// One row an area of memory beside malloc's: a sort of mappings or a pool of one program.
void writeAreasCsv(std::ostream &out, const Snapshot &snapshot);
/// One row a CPU stack and thread, heaviest first.
void writeCpuStacksCsv(std::ostream &out, const Snapshot &snapshot, RowRange range = {});
/// One row a function: self, total, place.
void writeFunctionsCsv(std::ostream &out, const FunctionTable &table);
/// One row a node of the tree in pre-order: depth, function, self and total of each cost.
void writeCallTreeCsv(std::ostream &out, const CallTree &tree);
/// One row a cell that is not empty: time, size from, size to, value.
void writeHeatMapCsv(std::ostream &out, const Snapshot &snapshot, const HeatMap &map);
/// The forecast's chart: quantiles of the quantity, one row a moment of the future.
void writeForecastCsv(std::ostream &out, const Snapshot &snapshot, const Forecast &forecast);
/// Everything else it says, as key and value: state, trend, limit, time to the limit, method.
void writeForecastSummaryCsv(std::ostream &out, const Snapshot &snapshot, const Forecast &forecast);
/// One row a recommendation, best first.
void writeRecommendationsCsv(std::ostream &out, const Recommendations &recommendations);
/// One row a kind of loss, zeros too.
void writeLossesCsv(std::ostream &out, const Snapshot &snapshot);

} // namespace model
