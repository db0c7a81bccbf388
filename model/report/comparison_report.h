// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/compare/compared_costs.h"

#include <cstddef>
#include <iosfwd>

namespace model {

/// How long and wide a comparison is.
struct ComparisonReportOptions
{
    std::size_t rows = 10; ///< most stacks and functions of a cost; in CSV and JSON 0 is all
    std::size_t columns = 80;
};

// Two sessions side by side. They never fail; check the stream.

/// Totals of all costs, then of each that differs its functions and stacks.
void writeComparisonText(
    std::ostream &out, const ComparedSessions &compared, const ComparisonReportOptions &options = {});
/// The same for a pull request: tables in GitHub's Markdown, text escaped.
void writeComparisonMarkdown(
    std::ostream &out, const ComparedSessions &compared, const ComparisonReportOptions &options = {});
/// One page that anyone can open, as writeSummaryHtml() makes them: summary, totals, then of each cost that differs its functions and stacks.
void writeComparisonHtml(
    std::ostream &out, const ComparedSessions &compared, const ComparisonReportOptions &options = {});
/// One row a cost and stack (`kind` "stack"), function ("function"), or total.
void writeComparisonCsv(
    std::ostream &out, const ComparedSessions &compared, const ComparisonReportOptions &options = {});
void writeComparisonJson(
    std::ostream &out, const ComparedSessions &compared, const ComparisonReportOptions &options = {});

} // namespace model
