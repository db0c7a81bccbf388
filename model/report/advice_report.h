// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/analysis/recommendations.h"
#include "model/report/text_report.h"

#include <iosfwd>

namespace model {

// What is worth changing, best first; the CSV is in csv_report.h.

/// Each with its evidence, place, advice, and how to check it; then what could not be looked at.
void writeAdviceText(
    std::ostream &out, const Snapshot &snapshot, const Recommendations &found, const TextReportOptions &options = {});
/// One object: `sentence`, `items`, `not_looked_at`.
void writeAdviceJson(std::ostream &out, const Recommendations &found);

/// "9–52 % of the CPU time".
std::string gainText(const Recommendation &item);
/// "a line", "a local rewrite", …
std::string_view effortText(int effort);

} // namespace model
