// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/report/forecast_report.h"

#include "model/aggregate/stack_text.h"
#include "model/aggregate/unrecorded_heap.h"
#include "model/analysis/forecast_words.h"
#include "model/base/format_units.h"
#include "model/report/csv_writer.h"
#include "model/report/session_words.h"
#include "model/report/summary_object.h"
#include "model/report/text_parts.h"
#include "model/report/text_table.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <ostream>

namespace model {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<std::string_view, 3> kStates{"not_enough_data", "direction_only", "forecast"};

std::string_view stateOf(const Forecast &forecast) { return kStates.at(static_cast<std::size_t>(forecast.state)); }

std::optional<double> seconds(const std::optional<Duration> &duration)
{
    return duration ? std::optional(duration->seconds()) : std::nullopt;
}

Json secondsOrNull(const std::optional<Duration> &duration) { return duration ? Json(duration->seconds()) : Json(); }

std::string chanceText(double chance)
{
    return chance > 0 && chance < 0.01 ? "< 1 %" : chance > 0.99 && chance < 1 ? "> 99 %" : formatShare(chance);
}

void writeChances(std::ostream &out, const Forecast &forecast, const TextReportOptions &options)
{
    std::string text;
    for (std::size_t i = 0; i < kForecastHours.size(); ++i)
        if (forecast.reachedWithin[i])
            text += fmt::format(
                "{}{} h {}", text.empty() ? "" : ", ", kForecastHours[i], chanceText(*forecast.reachedWithin[i]));
    if (!text.empty())
        writeWrapped(out, "Reached within: " + text + '.', options.columns, 4, 2);
}

void writeQuantity(
    std::ostream &out, FunctionIndex &functions, const ForecastedQuantity &quantity, const TextReportOptions &options)
{
    const Forecast &forecast = quantity.forecast;
    writeWrapped(
        out, forecast.verdict + (quantity.where.empty() ? "" : " (" + quantity.where + ")"), options.columns, 2, 2);
    writeChances(out, forecast, options);
    for (const OtherLimit &limit : forecast.otherLimits)
        writeWrapped(
            out, capacityText(limit, forecast.horizon, seriesInfo(forecast.source).unit), options.columns, 4, 2);
    if (forecast.slopeChange && forecast.isGrowing)
        writeWrapped(out,
            fmt::format("Its trend changed at {}; what was before counts little.", formatOffset(*forecast.slopeChange)),
            options.columns, 4, 2);
    if (quantity.stack && forecast.state == ForecastState::Forecast)
        writeFrames(out, functions, *quantity.stack, options.columns);
}

/// One sentence instead of one for each of the quantities, where the same is missing for all of them.
std::optional<std::string> whyNothing(const std::vector<ForecastedQuantity> &quantities)
{
    const auto isSame = [&quantities](const ForecastedQuantity &quantity) {
        return quantity.forecast.state == ForecastState::NotEnoughData
            && quantity.forecast.reason == quantities.front().forecast.reason;
    };
    if (quantities.size() < 2 || !std::all_of(quantities.begin(), quantities.end(), isSame))
        return std::nullopt;
    return fmt::format("Not enough data for a forecast of any of {} quantities: {}.", quantities.size(),
        quantities.front().forecast.reason);
}

Json timeObject(const TimeToLimit &time)
{
    return {{"q05_s", secondsOrNull(time.q05)}, {"q25_s", secondsOrNull(time.q25)},
        {"median_s", secondsOrNull(time.median)}, {"q75_s", secondsOrNull(time.q75)},
        {"q95_s", secondsOrNull(time.q95)}, {"probability_within_horizon", time.reachedWithinHorizon}};
}

Json bandOf(const Forecast &forecast)
{
    Json band = Json::array();
    for (const ForecastBand &at : forecast.band)
        band.push_back({{"time_ns", at.when.ns}, {"q05", at.q05}, {"q25", at.q25}, {"q50", at.q50}, {"q75", at.q75},
            {"q95", at.q95}});
    return band;
}

void addAnswer(Json &row, const Forecast &forecast)
{
    if (forecast.limit)
        row["limit"] = {{"value", forecast.limit->value}, {"name", forecast.limit->name}};
    if (forecast.timeToLimit)
        row["time_to_limit"] = timeObject(*forecast.timeToLimit);
    Json within = Json::object();
    for (std::size_t i = 0; i < kForecastHours.size(); ++i)
        if (forecast.reachedWithin[i])
            within[std::to_string(kForecastHours[i])] = *forecast.reachedWithin[i];
    row["probability_within_hours"] = std::move(within);
    row["other_limits"] = Json::array();
    for (const OtherLimit &limit : forecast.otherLimits) {
        Json other = {{"value", limit.value},
            {"sentence", capacityText(limit, forecast.horizon, seriesInfo(forecast.source).unit)}};
        other.update(timeObject(limit.time));
        row["other_limits"].push_back(std::move(other));
    }
}

} // namespace

void writeForecastsText(std::ostream &out, const Snapshot &snapshot, const std::vector<ForecastedQuantity> &quantities,
    const TextReportOptions &options)
{
    writeTitle(out, snapshot, options);
    writeHeading(out, "Forecast");
    if (quantities.empty())
        writeWrapped(out, nothingToJudge(snapshot), options.columns, 2);
    FunctionIndex functions(snapshot.tables);
    const auto nothing = whyNothing(quantities);
    if (nothing)
        writeWrapped(out, *nothing, options.columns, 2, 2);
    else
        for (std::size_t i = 0; i < quantities.size(); ++i) {
            if (i > 0)
                out << '\n';
            writeQuantity(out, functions, quantities[i], options);
        }
    if (const auto why = whyNoHeap(snapshot); why && snapshot.info.config.heap != HeapMode::Off) {
        out << '\n';
        writeWrapped(out, "Live heap: not known. " + *why, options.columns, 2, 2);
    }
    if (!quantities.empty() && !quantities.front().forecast.method.empty() && !nothing) {
        writeHeading(out, "How it was found");
        writeWrapped(
            out, quantities.front().forecast.label + ": " + quantities.front().forecast.method, options.columns, 2);
        const bool isAnyRequested
            = std::any_of(quantities.begin(), quantities.end(), [](const ForecastedQuantity &each) {
                  return each.forecast.source == SeriesSource(HeapQuantity::LiveBytes);
              });
        if (isAnyRequested)
            writeWrapped(out,
                "Live heap, and what a place keeps, are requested bytes: where most of them are not resident, no limit "
                "of "
                "memory is told for them.",
                options.columns, 2);
        if (!snapshot.info.disk.empty())
            writeWrapped(out,
                fmt::format("Of the disks it is told of {}, which has least left of those that the program wrote to; "
                            "others use it too.",
                    snapshot.info.disk),
                options.columns, 2);
    }
    writeTrust(out, snapshot, options);
}

void writeForecastsCsv(std::ostream &out, const Snapshot &snapshot, const std::vector<ForecastedQuantity> &quantities)
{
    CsvWriter csv(out);
    csv.row("series", "label", "pid", "state", "level", "per_hour", "per_hour_low90", "per_hour_high90", "limit",
        "limit_name", "to_limit_q05_s", "to_limit_median_s", "to_limit_q95_s", "within_1h", "within_8h", "within_24h",
        "within_48h", "horizon_s", "blocks", "block_s", "sentence", "stack");
    FunctionIndex functions(snapshot.tables);
    for (const ForecastedQuantity &quantity : quantities) {
        const Forecast &forecast = quantity.forecast;
        const TimeToLimit time = forecast.timeToLimit.value_or(TimeToLimit());
        csv.fields(quantity.key, forecast.label,
            quantity.process               ? std::optional(snapshot.tables->processes.at(quantity.process->index()).pid)
                : quantity.image.isValid() ? std::optional(pidOf(snapshot, quantity.image))
                                           : std::nullopt,
            stateOf(forecast), forecast.level, forecast.trend.slope, forecast.trend.slope90.low,
            forecast.trend.slope90.high, forecast.limit ? std::optional(forecast.limit->value) : std::nullopt,
            forecast.limit ? forecast.limit->name : std::string(), seconds(time.q05), seconds(time.median),
            seconds(time.q95));
        for (const std::optional<double> &within : forecast.reachedWithin)
            csv.field(within);
        csv.row(forecast.horizon.seconds(), forecast.blocks, forecast.block.seconds(), forecast.verdict,
            quantity.stack ? collapsedStack(functions, *quantity.stack) : std::string());
    }
}

void writeForecastsJson(std::ostream &out, const Snapshot &snapshot, const std::vector<ForecastedQuantity> &quantities)
{
    FunctionIndex functions(snapshot.tables);
    Json object
        = {{"selection", selectionObject(snapshot)}, {"disk", snapshot.info.disk}, {"quantities", Json::array()}};
    for (const ForecastedQuantity &quantity : quantities) {
        const Forecast &forecast = quantity.forecast;
        Json row = {{"series", quantity.key}, {"label", forecast.label}, {"state", stateOf(forecast)},
            {"sentence", forecast.verdict}, {"reason", forecast.reason}, {"method", forecast.method},
            {"now_ns", forecast.now.ns}, {"level", forecast.level}, {"per_hour", forecast.trend.slope},
            {"per_hour_interval90", {forecast.trend.slope90.low, forecast.trend.slope90.high}},
            {"blocks", forecast.blocks}, {"block_ns", forecast.block.ns}, {"horizon_ns", forecast.horizon.ns},
            {"error_inflation", forecast.inflation}};
        if (quantity.process)
            row["pid"] = snapshot.tables->processes.at(quantity.process->index()).pid;
        if (quantity.stack)
            row.update({{"pid", pidOf(snapshot, quantity.image)}, {"stack_id", quantity.stack->value},
                {"where", quantity.where}, {"stack", collapsedStack(functions, *quantity.stack)}});
        if (forecast.slopeChange)
            row["slope_change_ns"] = forecast.slopeChange->ns;
        if (forecast.season)
            row["season_ns"] = forecast.season->ns;
        addAnswer(row, forecast);
        row["band"] = bandOf(forecast);
        object["quantities"].push_back(std::move(row));
    }
    out << object.dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
}

} // namespace model
