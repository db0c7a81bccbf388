// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/aggregate/time_series.h"

#include <optional>
#include <string>
#include <vector>

namespace model {

/// What a rule compares with its threshold.
enum class AlertTest : std::uint8_t {
    Above,         ///< the value, in the source's unit
    Below,         ///< the same
    AboveOfLimit,  ///< the value as percent of its limit, see canHaveLimit()
    AboveOfCores,  ///< CPU as percent of all processors of the machine
    GrowsPercent,  ///< by how many percent the value has grown within `window`
    GrowsBy,       ///< by how much it has grown within `window`, in the source's unit
    ReachesWithin, ///< nanoseconds in which a forecast's median reaches the limit; fires below the threshold
    NewlyLost, ///< bytes that a scan found definitely lost at stacks that had lost none before; over at the next scan. No source
};

/// A condition over a quantity of a recording, that is told when it has held for a while. Pure data.
struct AlertRule
{
    std::string name; ///< unique among the rules
    SeriesSource source = Metric::Rss;
    AlertTest test = AlertTest::Above;
    double threshold = 0;           ///< in valueUnit() of the rule
    std::optional<double> clearsAt; ///< the alert ends beyond this, on the good side; none: see clearThreshold()
    Duration window;                ///< how far growth looks back; 0 for other tests
    Duration holds;      ///< how long the condition must hold before the alert fires, and be over before it ends
    std::string command; ///< shell command to run when it fires; empty: none
};

/// The unit of what the rule compares: percent for shares and growth in percent, nanoseconds for forecasts, else the source's.
Unit valueUnit(const AlertRule &rule);

/// Key of what the rule looks at, as in reports: "rss_bytes"; of NewlyLost "lost_bytes".
std::string_view watchedKey(const AlertRule &rule);

/// Whether a great value is the bad one.
bool isBadWhenHigh(AlertTest test);

/// Where an alert ends: `clearsAt`, else 5 % of the threshold on the good side of it (growth: 30 %, forecast: 25 %), so that noise
/// around the threshold does not make it flap.
double clearThreshold(const AlertRule &rule);

/// "resident memory above 80 % of its limit for 10 s".
std::string conditionText(const AlertRule &rule);

/// Growth of resident memory above 5 % within 1 h, memory above 80 % of its limit, CPU above 90 % of all processors for 5 min, memory forecast
/// to reach its limit within 8 h, any memory that a scan finds lost at a stack that had lost none.
std::vector<AlertRule> defaultAlertRules();

/// What is wrong with a rule, as a sentence; empty: nothing.
std::string ruleProblem(const AlertRule &rule);

} // namespace model
