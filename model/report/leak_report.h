// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/analysis/leak_detector.h"
#include "model/report/text_report.h"

#include <iosfwd>

namespace model {

// What findLeaks() found, in the three forms of a report. They never fail; check the stream.

/// For people: the answer, each place with its evidence and stack, and what limits the answer.
void writeLeaksText(
    std::ostream &out, const Snapshot &snapshot, const LeakReport &report, const TextReportOptions &options = {});
/// One row a suspicious stack, in the order of the report, with the numbers of each condition of the rule. `rows` 0: all.
void writeLeaksCsv(std::ostream &out, const Snapshot &snapshot, const LeakReport &report, std::size_t rows = 0);
/// All of it: sentences, and the numbers behind them, with the history of each stack. `items` 0: all places.
void writeLeaksJson(std::ostream &out, const Snapshot &snapshot, const LeakReport &report, std::size_t items = 0);

} // namespace model
