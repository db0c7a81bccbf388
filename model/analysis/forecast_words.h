// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/analysis/forecast.h"

#include <string>

namespace model {

/// "4.1 MiB/h (3.7–4.6)", "0.48 GiB/h (0.33–1.32)": the slope with its interval in one unit, per hour. For what is told of a trend everywhere.
std::string rateText(double perHour, const Interval &interval, Unit unit);
/// The same without the interval.
std::string rateText(double perHour, Unit unit);

/// What the forecast says, as one sentence; from all its other members.
std::string forecastVerdict(const Forecast &forecast);
/// "A limit of 2 GiB would last 31 h (90 %: 22 h to 47 h)."; `horizon`: of the forecast.
std::string capacityText(const OtherLimit &limit, Duration horizon, Unit unit);
/// How it was computed and what it assumes.
std::string forecastMethod(const Forecast &forecast, std::size_t filledBlocks);

} // namespace model
