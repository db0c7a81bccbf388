// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/report/text_report.h"

namespace model {

// The alerts of a recording, in the order in which they fired. Times since its begin. They never fail; check the stream.

/// For people: rule, condition, when, for how long, values.
void writeAlertsText(std::ostream &out, const Snapshot &snapshot, const TextReportOptions &options = {});
/// One row an alert. See csv_report.h.
void writeAlertsCsv(std::ostream &out, const Snapshot &snapshot);
/// One object: "alerts", each with rule, source, condition, began_ns, fired_ns, ended_ns (null: it went on), value, worst, threshold, unit.
void writeAlertsJson(std::ostream &out, const Snapshot &snapshot);

/// snake_case name of a unit: "bytes", "percent".
std::string_view unitKey(Unit unit);

} // namespace model
