// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/report/comparison_report.h"
#include "model/report/comparison_summary.h"
#include "model/report/difference_words.h"
#include "model/report/session_words.h"
#include "model/report/text_parts.h"
#include "model/report/text_table.h"

#include <fmt/format.h>

#include <ostream>

namespace model {

namespace {

constexpr std::size_t kNameColumns = 40;

const Snapshot &snapshotOf(const ComparedSessions &compared, Side side)
{
    return *compared.sessions[sideIndex(side)].snapshot;
}

void writeSides(std::ostream &out, const ComparedSessions &compared, const ComparisonReportOptions &options)
{
    for (const Side side : kSides) {
        const Snapshot &snapshot = snapshotOf(compared, side);
        out << elided(fmt::format("{}  {}", side == Side::A ? 'A' : 'B', snapshot.file), options.columns) << '\n';
        std::string line = fmt::format("   {} · {} – {}", elided(commandText(snapshot), options.columns / 2),
            formatOffset(snapshot.span.begin, true), formatOffset(snapshot.span.end, true));
        const PerWork per = compared.normalisation.per;
        if (per == PerWork::Mark || per == PerWork::Phase)
            line += fmt::format(
                " · {:.0f} × \"{}\"", compared.sessions[sideIndex(side)].work, compared.normalisation.name);
        else if (per == PerWork::Counter)
            line += fmt::format(" · {} = {}", compared.normalisation.name,
                costText(compared.sessions[sideIndex(side)].work, Unit::Count));
        out << line << '\n';
    }
}

void writeTotals(std::ostream &out, const ComparedSessions &compared, const ComparisonReportOptions &options)
{
    const std::string per = perWorkText(compared.normalisation);
    writeHeading(out, per.empty() ? "Totals" : "Totals, costs of a time " + per);
    TextTable table({{"cost"}, {"A", Align::Right}, {"B", Align::Right}, {"change", Align::Right}, {"", Align::Right},
        {"95 % interval"}, {"matched"}});
    for (const ComparedCost &cost : compared.costs) {
        const Comparison &comparison = cost.comparison;
        const Unit unit = costInfo(cost.cost.kind).unit;
        const Difference &total = comparison.total;
        table.row({std::string(cost.cost.label), costText(total.a, unit), costText(total.b, unit),
            changeText(total, unit), relativeText(total), relativeIntervalText(total, comparison.certainty),
            formatShare(comparison.matchedShare)});
    }
    table.write(out, options.columns, 2);
}

void writeFunctions(std::ostream &out, const Comparison &comparison, const ComparisonReportOptions &options)
{
    const Unit unit = costInfo(comparison.kind).unit;
    std::vector<TextTable::Column> columns{
        {"A", Align::Right}, {"B", Align::Right}, {"change", Align::Right}, {"", Align::Right}};
    const bool hasIntervals = comparison.certainty == Certainty::Estimated;
    if (hasIntervals)
        columns.push_back({"95 % interval"});
    columns.push_back({std::string(functionHeading(comparison.kind))});
    TextTable table(std::move(columns));
    std::size_t count = 0;
    for (const FunctionDifference &row : comparison.functions) {
        if (!row.caused.isSignificant || count++ == options.rows)
            break;
        const FunctionIndex &index = *comparison.indexes[sideIndex(row.side)];
        std::string name = elided(shortFunctionName(index.name(row.shown)), kNameColumns);
        if (const std::string place = shortPlace(row.file, row.line); !place.empty())
            name += "  " + place;
        name += severalFunctionsText(row);
        std::vector<std::string> cells{costText(row.caused.a, unit), costText(row.caused.b, unit),
            changeText(row.caused, unit), relativeText(row.caused)};
        if (hasIntervals)
            cells.push_back(relativeIntervalText(row.caused, comparison.certainty));
        cells.push_back(std::move(name));
        table.row(std::move(cells));
    }
    if (!table.isEmpty())
        table.write(out, options.columns, 2);
}

std::string presence(const StackDifference &row)
{
    if (!row.isInA)
        return "  only in B";
    return row.isInB ? "" : "  only in A";
}

void writeStacks(std::ostream &out, const Comparison &comparison, const ComparisonReportOptions &options)
{
    const Unit unit = costInfo(comparison.kind).unit;
    std::size_t count = 0;
    for (const StackDifference &row : comparison.stacks) {
        if (!row.cost.isSignificant || count++ == options.rows)
            break;
        const std::string interval = relativeIntervalText(row.cost, comparison.certainty);
        out << fmt::format("\n  {} → {}  {}  {}{}{}\n", costText(row.cost.a, unit), costText(row.cost.b, unit),
            changeText(row.cost, unit), relativeText(row.cost), interval.empty() ? "" : " (" + interval + ")",
            presence(row));
        writeFrames(out, *comparison.indexes[sideIndex(row.side)], row.stack, options.columns);
    }
}

/// How many rows differ, and how sure that is.
std::string countText(const Comparison &comparison)
{
    std::size_t stacks = 0;
    for (const StackDifference &row : comparison.stacks)
        stacks += row.cost.isSignificant ? 1 : 0;
    const std::string all = formatCount(static_cast<std::int64_t>(comparison.stacks.size()));
    switch (comparison.certainty) {
    case Certainty::Exact:
        return fmt::format("{} of {} groups of stacks differ; the counts are exact", stacks, all);
    case Certainty::Estimated:
        return fmt::format("{} of {} groups of stacks differ by more than sampling explains", stacks, all);
    case Certainty::Unknown:
        return fmt::format("not judged: {}", whyNotJudged(comparison.kind));
    }
    return {};
}

void writeCost(std::ostream &out, const ComparedCost &cost, const ComparisonReportOptions &options)
{
    writeHeading(out, fmt::format("{}: {}", cost.cost.label, countText(cost.comparison)));
    writeFunctions(out, cost.comparison, options);
    writeStacks(out, cost.comparison, options);
}

} // namespace

void writeComparisonText(std::ostream &out, const ComparedSessions &compared, const ComparisonReportOptions &options)
{
    writeSides(out, compared, options);
    out << '\n';
    writeWrapped(out, comparisonSummary(compared).sentence, options.columns, 0);
    writeTotals(out, compared, options);
    for (const ComparedCost &cost : compared.costs) {
        const bool hasMore = isTold(compared, cost) && cost.comparison.stacks.front().cost.isSignificant;
        if (!hasMore && compared.costs.size() > 1)
            continue; // nothing but the total to say
        writeCost(out, cost, options);
    }
    if (!compared.notes.empty())
        writeHeading(out, "How far to trust this");
    for (const std::string &note : compared.notes)
        writeWrapped(out, note, options.columns, 2, 2);
}

} // namespace model
