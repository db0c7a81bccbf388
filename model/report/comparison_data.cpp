// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/aggregate/stack_text.h"
#include "model/report/comparison_report.h"
#include "model/report/comparison_summary.h"
#include "model/report/csv_writer.h"
#include "model/report/difference_words.h"
#include "model/report/session_words.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <ostream>

namespace model {

namespace {

using Json = nlohmann::ordered_json;

std::size_t rowsOf(std::size_t all, const ComparisonReportOptions &options)
{
    return options.rows == 0 ? all : std::min(all, options.rows);
}

/// In JSON and CSV an infinite bound is absent.
Json number(double value) { return std::isfinite(value) ? Json(value) : Json(); }

Json differenceObject(const Difference &difference)
{
    return {{"a", difference.a}, {"b", difference.b}, {"change", difference.change()}, {"count_a", difference.countA},
        {"count_b", difference.countB},
        {"ratio_interval95", {number(difference.ratio95.low), number(difference.ratio95.high)}},
        {"p_value", difference.pValue}, {"is_significant", difference.isSignificant}};
}

Json stackRow(const Comparison &comparison, const StackDifference &row)
{
    Json object = differenceObject(row.cost);
    object["in_a"] = row.isInA;
    object["in_b"] = row.isInB;
    object["stack"] = collapsedStack(*comparison.indexes[sideIndex(row.side)], row.stack);
    return object;
}

Json functionRow(const Comparison &comparison, const FunctionDifference &row)
{
    const FunctionIndex &index = *comparison.indexes[sideIndex(row.side)];
    Json object = {{"function", index.name(row.shown)}, {"module", index.modulePath(row.shown)}, {"file", row.file},
        {"line", row.line}, {"functions", row.functions}, {"in_a", row.isInA}, {"in_b", row.isInB},
        {"self", differenceObject(row.self)}, {"caused", differenceObject(row.caused)},
        {"total", differenceObject(row.total)}};
    return object;
}

Json sessionObject(const ComparedSession &session)
{
    const Snapshot &snapshot = *session.snapshot;
    return {{"file", snapshot.file}, {"command", commandText(snapshot)}, {"begin_ns", snapshot.span.begin.ns},
        {"end_ns", snapshot.span.end.ns}, {"work", session.work}};
}

void writeCsvRow(CsvWriter &csv, std::string_view cost, std::string_view kind, const Difference &difference,
    std::string_view name, std::string_view place)
{
    csv.row(cost, kind, difference.a, difference.b, difference.change(), difference.ratio95.low,
        difference.ratio95.high, difference.pValue, difference.isSignificant ? 1 : 0, name, place);
}

} // namespace

void writeComparisonCsv(std::ostream &out, const ComparedSessions &compared, const ComparisonReportOptions &options)
{
    CsvWriter csv(out);
    csv.row("cost", "kind", "a", "b", "change", "ratio_low95", "ratio_high95", "p_value", "is_significant", "name",
        "place");
    for (const ComparedCost &cost : compared.costs) {
        const Comparison &comparison = cost.comparison;
        writeCsvRow(csv, cost.cost.key, "total", comparison.total, "", "");
        for (std::size_t i = 0; i < rowsOf(comparison.functions.size(), options); ++i) {
            const FunctionDifference &row = comparison.functions[i];
            writeCsvRow(csv, cost.cost.key, "function", row.caused,
                comparison.indexes[sideIndex(row.side)]->name(row.shown), shortPlace(row.file, row.line));
        }
        for (std::size_t i = 0; i < rowsOf(comparison.stacks.size(), options); ++i) {
            const StackDifference &row = comparison.stacks[i];
            writeCsvRow(csv, cost.cost.key, "stack", row.cost,
                collapsedStack(*comparison.indexes[sideIndex(row.side)], row.stack), "");
        }
    }
}

void writeComparisonJson(std::ostream &out, const ComparedSessions &compared, const ComparisonReportOptions &options)
{
    Json object = {{"a", sessionObject(compared.sessions[0])}, {"b", sessionObject(compared.sessions[1])},
        {"per", perWorkText(compared.normalisation)}, {"summary", comparisonSummary(compared).sentence},
        {"notes", compared.notes}, {"costs", Json::array()}};
    for (const ComparedCost &cost : compared.costs) {
        const Comparison &comparison = cost.comparison;
        Json row = {{"cost", cost.cost.key}, {"unit", costInfo(cost.cost.kind).column},
            {"certainty", certaintyKey(comparison.certainty)},
            {"is_per_work", comparison.isPerWork && compared.normalisation.per != PerWork::Nothing},
            {"matched_share", comparison.matchedShare}, {"total", differenceObject(comparison.total)},
            {"functions", Json::array()}, {"stacks", Json::array()}};
        for (std::size_t i = 0; i < rowsOf(comparison.functions.size(), options); ++i)
            row["functions"].push_back(functionRow(comparison, comparison.functions[i]));
        for (std::size_t i = 0; i < rowsOf(comparison.stacks.size(), options); ++i)
            row["stacks"].push_back(stackRow(comparison, comparison.stacks[i]));
        object["costs"].push_back(std::move(row));
    }
    out << object.dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
}

} // namespace model
