// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/report/alert_report.h"

#include "model/report/csv_writer.h"
#include "model/report/summary_object.h"
#include "model/report/text_parts.h"
#include "model/report/text_table.h"

#include <ostream>
#include <set>
#include <string>

namespace model {

std::string_view unitKey(Unit unit)
{
    switch (unit) {
    case Unit::Bytes:
        return "bytes";
    case Unit::BytesPerSecond:
        return "bytes_per_second";
    case Unit::BytesPerHour:
        return "bytes_per_hour";
    case Unit::Percent:
        return "percent";
    case Unit::Count:
        return "count";
    case Unit::PerSecond:
        return "per_second";
    case Unit::Nanoseconds:
        return "nanoseconds";
    }
    return "count";
}

void writeAlertsText(std::ostream &out, const Snapshot &snapshot, const TextReportOptions &options)
{
    writeTitle(out, snapshot, options);
    writeHeading(out, "Alerts");
    if (snapshot.alerts.empty()) {
        constexpr Duration kHour{3600LL * 1'000'000'000};
        writeWrapped(out,
            snapshot.info.duration < kHour ? "No alert fired. Rules about growth compare with the begin of their "
                                             "window, an hour unless they say otherwise: they need a recording as long."
                                           : "No alert fired.",
            options.columns, 2);
        return;
    }
    TextTable table({{"fired", Align::Right}, {"lasted", Align::Right}, {"value", Align::Right},
        {"worst", Align::Right}, {"alert"}});
    for (const AlertEvent &alert : snapshot.alerts)
        table.row({formatOffset(alert.fired), alert.ended ? formatDuration(*alert.ended - alert.fired) : "went on",
            formatValue(alert.value, alert.unit), formatValue(alert.worst, alert.unit), alert.rule});
    table.write(out, options.columns, 2);
    writeHeading(out, "Their rules");
    std::set<std::string> told;
    for (const AlertEvent &alert : snapshot.alerts)
        if (told.insert(alert.rule).second)
            writeWrapped(out, alert.rule + ": " + alert.condition, options.columns, 2, 2);
}

void writeAlertsCsv(std::ostream &out, const Snapshot &snapshot)
{
    CsvWriter csv(out);
    csv.row("rule", "source", "condition", "began_s", "fired_s", "ended_s", "value", "worst", "threshold", "unit");
    for (const AlertEvent &alert : snapshot.alerts)
        csv.row(alert.rule, alert.source, alert.condition, alert.began.seconds(), alert.fired.seconds(),
            alert.ended ? std::optional(alert.ended->seconds()) : std::nullopt, alert.value, alert.worst,
            alert.threshold, unitKey(alert.unit));
}

void writeAlertsJson(std::ostream &out, const Snapshot &snapshot)
{
    using Json = nlohmann::ordered_json;
    Json alerts = Json::array();
    for (const AlertEvent &alert : snapshot.alerts)
        alerts.push_back({{"rule", alert.rule}, {"source", alert.source}, {"condition", alert.condition},
            {"began_ns", alert.began.ns}, {"fired_ns", alert.fired.ns},
            {"ended_ns", alert.ended ? Json(alert.ended->ns) : Json()}, {"value", alert.value}, {"worst", alert.worst},
            {"threshold", alert.threshold}, {"unit", unitKey(alert.unit)}});
    const Json object = {{"alerts", alerts}};
    out << object.dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
}

} // namespace model
