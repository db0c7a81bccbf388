// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/aggregate/stack_text.h"
#include "model/compare/difference_tree.h"
#include "model/layout/flame_layout.h"
#include "model/report/comparison_report.h"
#include "model/report/comparison_summary.h"
#include "model/report/difference_words.h"
#include "model/report/html_text.h"
#include "model/report/report_assets.h"
#include "model/report/session_words.h"
#include "model/report/text_table.h"

#include <fmt/format.h>

#include <cmath>
#include <ostream>

namespace model {

namespace {

constexpr double kWidthPx = 1300;
constexpr int kRowPx = 18;
constexpr std::uint32_t kMostRows = 80; ///< of a flame graph; deeper calls are left out

/// Writes a comparison part by part.
class ComparisonHtml
{
public:
    ComparisonHtml(std::ostream &out, const ComparedSessions &compared, const ComparisonReportOptions &options)
        : m_out(out)
        , m_compared(compared)
        , m_options(options)
    {
    }

    void write()
    {
        writeHead();
        writeTotals();
        for (const ComparedCost &cost : m_compared.costs)
            if (isTold(m_compared, cost) && !cost.comparison.stacks.empty()
                && cost.comparison.stacks.front().cost.isSignificant)
                writeCost(cost);
        if (!m_compared.notes.empty())
            m_out << "<h2>How far to trust this</h2>\n";
        for (const std::string &note : m_compared.notes)
            paragraph(note);
        m_out << "</body></html>\n";
    }

private:
    void writeHead()
    {
        const ComparisonSummary summary = comparisonSummary(m_compared);
        m_out << "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
              << "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
                 "'unsafe-inline'\">\n"
              << "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>Comparison</title>\n"
              << "<style>" << kReportStyle << "</style></head><body>\n<h1>Comparison</h1>\n";
        for (const Side side : kSides) {
            const Snapshot &snapshot = *m_compared.sessions[sideIndex(side)].snapshot;
            paragraph(fmt::format("{}: {} · {} · {} – {} · {}", side == Side::A ? "Before" : "After", snapshot.file,
                          dateTimeOf(snapshot, {}), formatOffset(snapshot.span.begin, true),
                          formatOffset(snapshot.span.end, true), onOneLine(commandText(snapshot))),
                "muted");
        }
        paragraph(summary.sentence);
        if (!summary.unmatched.empty())
            paragraph("On stacks that only one of the two has: " + summary.unmatched + ".", "muted");
    }

    void writeTotals()
    {
        const std::string per = perWorkText(m_compared.normalisation);
        m_out << "<h2>Totals" << escapedHtml(per.empty() ? "" : ", costs of a time " + per)
              << "</h2>\n<div class=\"panel\">";
        HtmlTable table({"cost", ">before", ">after", ">change", ">", "95 % interval", ">not matched"});
        for (const ComparedCost &cost : m_compared.costs) {
            const Difference &total = cost.comparison.total;
            const Unit unit = costInfo(cost.cost.kind).unit;
            table.row({std::string(cost.cost.label), costText(total.a, unit), costText(total.b, unit),
                changeText(total, unit), relativeText(total), relativeIntervalText(total, cost.comparison.certainty),
                formatShare(1 - cost.comparison.matchedShare)});
        }
        table.write(m_out);
        m_out << "</div>\n";
    }

    void writeCost(const ComparedCost &cost)
    {
        m_out << "<h2>" << escapedHtml(cost.cost.label) << "</h2>\n";
        writeFlame(cost);
        writeFunctions(cost.comparison);
        writeStacks(cost.comparison);
    }

    void writeFlame(const ComparedCost &cost)
    {
        const std::optional<DifferenceTree> tree = differenceTree(cost);
        const FlameLayout layout = flameLayout(*tree, {.widthPx = kWidthPx, .leastWidthPx = 1.5});
        const std::uint32_t rows = std::min(layout.rows, kMostRows);
        m_out
            << "<div class=\"panel\"><p class=\"muted\">Red: more than before, blue: less, the fuller the more; grey: "
            << (cost.comparison.certainty == Certainty::Estimated ? "no more than sampling explains" : "the same")
            << ". As wide as the mean of before and after.</p>\n"
            << fmt::format("<svg class=\"diff\" viewBox=\"0 0 {:.0f} {}\">\n", kWidthPx, rows * kRowPx);
        for (const FlameRect &rect : layout.rects)
            if (rect.row < rows && rect.merged == 0)
                writeBox(*tree, rect);
        m_out << "</svg></div>\n";
    }

    void writeBox(const DifferenceTree &tree, const FlameRect &rect)
    {
        constexpr double kLeast = 0.3;
        constexpr double kPixelsPerLetter = 6.2;
        const Difference &total = tree.node(rect.node).total;
        const Unit unit = costInfo(tree.kind()).unit;
        const double shade = differenceShade(total);
        const std::string name = rect.node == DifferenceTree::root() ? "all" : tree.name(rect.node);
        m_out << fmt::format("<g><title>{}\n{} → {}  {} ({})</title>", escapedHtml(name), costText(total.a, unit),
            costText(total.b, unit), changeText(total, unit), relativeText(total));
        m_out << fmt::format("<rect{} x=\"{:.1f}\" y=\"{}\" width=\"{:.1f}\" height=\"{}\"",
            shade > 0       ? " class=\"more\""
                : shade < 0 ? " class=\"less\""
                            : "",
            rect.x, rect.row * kRowPx, std::max(rect.width - 1, 0.5F), kRowPx - 1);
        if (shade != 0)
            m_out << fmt::format(" fill-opacity=\"{:.2f}\"", kLeast + (0.75 - kLeast) * std::abs(shade));
        m_out << "/>";
        const auto letters
            = static_cast<std::size_t>(std::max(0.0, (static_cast<double>(rect.width) - 6) / kPixelsPerLetter));
        constexpr std::size_t kFewest = 8; // elided() takes no less
        if (letters >= kFewest)
            m_out << fmt::format("<text x=\"{:.1f}\" y=\"{}\">{}</text>", rect.x + 3, rect.row * kRowPx + 13,
                escapedHtml(elided(shortFunctionName(name), letters)));
        m_out << "</g>\n";
    }

    void writeFunctions(const Comparison &comparison)
    {
        const Unit unit = costInfo(comparison.kind).unit;
        HtmlTable table({">before", ">after", ">change", ">", "95 % interval", "place",
            std::string(functionHeading(comparison.kind))});
        std::size_t count = 0;
        for (const FunctionDifference &row : comparison.functions) {
            if (!row.caused.isSignificant || count++ == m_options.rows)
                break;
            const std::string name = comparison.indexes[sideIndex(row.side)]->name(row.shown);
            table.row({costText(row.caused.a, unit), costText(row.caused.b, unit), changeText(row.caused, unit),
                          relativeText(row.caused), relativeIntervalText(row.caused, comparison.certainty),
                          shortPlace(row.file, row.line), shortFunctionName(name) + severalFunctionsText(row)},
                name);
        }
        if (table.isEmpty())
            return;
        m_out << "<div class=\"panel\">";
        table.write(m_out);
        m_out << "</div>\n";
    }

    void writeStacks(const Comparison &comparison)
    {
        const Unit unit = costInfo(comparison.kind).unit;
        std::size_t count = 0;
        for (const StackDifference &row : comparison.stacks) {
            if (!row.cost.isSignificant || count++ == m_options.rows)
                break;
            m_out << "<details class=\"item\"><summary>"
                  << escapedHtml(fmt::format("{} → {}  {}  {}{}", costText(row.cost.a, unit),
                         costText(row.cost.b, unit), changeText(row.cost, unit), relativeText(row.cost),
                         row.isInA ? row.isInB ? "" : ", only before" : ", only after"))
                  << "</summary><ol class=\"stack\">\n";
            for (const StackLine &line : stackLines(*comparison.indexes[sideIndex(row.side)], row.stack))
                m_out << "<li>" << escapedHtml(line.name) << "<span class=\"muted\">"
                      << escapedHtml(shortPlace(line.file, line.line)) << "</span></li>\n";
            m_out << "</ol></details>\n";
        }
    }

    void paragraph(std::string_view text, std::string_view style = {})
    {
        m_out << (style.empty() ? "<p>" : fmt::format("<p class=\"{}\">", style)) << escapedHtml(text) << "</p>\n";
    }

    std::ostream &m_out;
    const ComparedSessions &m_compared;
    const ComparisonReportOptions m_options;
};

} // namespace

void writeComparisonHtml(std::ostream &out, const ComparedSessions &compared, const ComparisonReportOptions &options)
{
    ComparisonHtml(out, compared, options).write();
}

} // namespace model
