// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/aggregate/stack_text.h"
#include "model/report/comparison_report.h"
#include "model/report/comparison_summary.h"
#include "model/report/difference_words.h"

#include <fmt/format.h>

#include <ostream>

namespace model {

namespace {

void writeTotals(std::ostream &out, const ComparedSessions &compared)
{
    const std::string per = perWorkText(compared.normalisation);
    out << fmt::format("### Comparison{}\n\n| cost | A | B | change | | 95 % interval |\n|---|--:|--:|--:|--:|---|\n",
        per.empty() ? "" : ", costs of a time " + markdownCell(per));
    for (const ComparedCost &cost : compared.costs) {
        const Difference &total = cost.comparison.total;
        const Unit unit = costInfo(cost.cost.kind).unit;
        out << fmt::format("| {} | {} | {} | {} | {} | {} |\n", cost.cost.label, costText(total.a, unit),
            costText(total.b, unit), changeText(total, unit), relativeText(total),
            relativeIntervalText(total, cost.comparison.certainty));
    }
}

void writeFunctions(std::ostream &out, const ComparedCost &cost, std::size_t rows)
{
    const Comparison &comparison = cost.comparison;
    const Unit unit = costInfo(comparison.kind).unit;
    std::size_t count = 0;
    for (const FunctionDifference &row : comparison.functions) {
        if (!row.caused.isSignificant || count++ == rows)
            break;
        if (count == 1)
            out << fmt::format("\n**{}**\n\n| {} | A | B | change | |\n|---|--:|--:|--:|--:|\n", cost.cost.label,
                functionHeading(comparison.kind));
        const std::string name = shortFunctionName(comparison.indexes[sideIndex(row.side)]->name(row.shown));
        const std::string place = shortPlace(row.file, row.line);
        out << fmt::format("| {}{}{} | {} | {} | {} | {} |\n", markdownCell(name),
            place.empty() ? "" : " " + markdownCell(place), severalFunctionsText(row), costText(row.caused.a, unit),
            costText(row.caused.b, unit), changeText(row.caused, unit), relativeText(row.caused));
    }
}

} // namespace

void writeComparisonMarkdown(
    std::ostream &out, const ComparedSessions &compared, const ComparisonReportOptions &options)
{
    out << markdownCell(comparisonSummary(compared).sentence) << "\n\n";
    writeTotals(out, compared);
    for (const ComparedCost &cost : compared.costs)
        writeFunctions(out, cost, options.rows);
    for (const std::string &note : compared.notes)
        out << "\n> " << markdownCell(note) << '\n';
}

} // namespace model
