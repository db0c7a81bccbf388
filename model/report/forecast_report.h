// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/analysis/session_forecast.h"
#include "model/report/text_report.h"

#include <iosfwd>
#include <vector>

namespace model {

// What sessionForecasts() says, in the three forms of a report. They never fail; check the stream.

/// For people: a sentence for each quantity, P(reached within 1, 8, 24, 48 h), how long other limits would last, and how it was found.
void writeForecastsText(std::ostream &out, const Snapshot &snapshot, const std::vector<ForecastedQuantity> &quantities,
    const TextReportOptions &options = {});
/// One row a quantity.
void writeForecastsCsv(std::ostream &out, const Snapshot &snapshot, const std::vector<ForecastedQuantity> &quantities);
/// Each quantity with its sentences and the numbers behind them, the band of futures included.
void writeForecastsJson(std::ostream &out, const Snapshot &snapshot, const std::vector<ForecastedQuantity> &quantities);

} // namespace model
