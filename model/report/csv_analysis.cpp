// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/report/csv_report.h"
#include "model/report/csv_writer.h"
#include "model/report/session_words.h"

#include <array>

namespace model {

namespace {

constexpr std::array<std::string_view, 4> kCardStates{"unknown", "ok", "warn", "danger"};
constexpr std::array<std::string_view, 3> kForecastStates{"not_enough_data", "direction_only", "forecast"};
constexpr std::array<std::string_view, 4> kGains{"cpu_share", "bytes", "bytes_per_hour", "allocation_share"};

template <typename Names, typename Value> std::string_view nameIn(const Names &names, Value value)
{
    return names[static_cast<std::size_t>(value)];
}

std::optional<double> hours(const std::optional<Duration> &duration)
{
    return duration ? std::optional(duration->seconds() / 3600) : std::nullopt;
}

} // namespace

void writeForecastSummaryCsv(std::ostream &out, const Snapshot &snapshot, const Forecast &forecast)
{
    CsvWriter csv(out);
    csv.row("key", "value");
    csv.row("series", seriesInfo(forecast.source).key);
    csv.row("state", nameIn(kForecastStates, forecast.state));
    csv.row("verdict", forecast.verdict);
    csv.row("reason", forecast.reason);
    csv.row("now", dateTimeOf(snapshot, forecast.now));
    csv.row("level", forecast.level);
    csv.row("slope_per_hour", forecast.trend.slope);
    csv.row("slope_per_hour_low90", forecast.trend.slope90.low);
    csv.row("slope_per_hour_high90", forecast.trend.slope90.high);
    csv.row("trend_p_value", forecast.trend.pValue);
    csv.row("blocks", forecast.blocks);
    csv.row("block_s", forecast.block.seconds());
    if (forecast.limit) {
        csv.row("limit", forecast.limit->value);
        csv.row("limit_name", forecast.limit->name);
    }
    if (const std::optional<TimeToLimit> &time = forecast.timeToLimit) {
        csv.row("hours_to_limit_q05", hours(time->q05));
        csv.row("hours_to_limit_q25", hours(time->q25));
        csv.row("hours_to_limit_median", hours(time->median));
        csv.row("hours_to_limit_q75", hours(time->q75));
        csv.row("hours_to_limit_q95", hours(time->q95));
        csv.row("probability_within_horizon", time->reachedWithinHorizon);
    }
    for (std::size_t i = 0; i < kForecastHours.size(); ++i)
        if (forecast.reachedWithin[i])
            csv.row("probability_within_" + std::to_string(kForecastHours[i]) + "_h", *forecast.reachedWithin[i]);
    csv.row("method", forecast.method);
}

void writeCardsCsv(std::ostream &out, const Summary &summary)
{
    CsvWriter csv(out);
    csv.row("card", "state", "number", "qualifier", "sentence");
    for (const SummaryCard &card : summary.cards)
        csv.row(card.title, nameIn(kCardStates, card.state), card.number, card.qualifier, card.sentence);
}

void writeForecastCsv(std::ostream &out, const Snapshot &snapshot, const Forecast &forecast)
{
    CsvWriter csv(out);
    csv.row("time_s", "time", "q05", "q25", "q50", "q75", "q95");
    for (const ForecastBand &band : forecast.band)
        csv.row(band.when.seconds(), dateTimeOf(snapshot, band.when), band.q05, band.q25, band.q50, band.q75, band.q95);
}

void writeRecommendationsCsv(std::ostream &out, const Recommendations &recommendations)
{
    CsvWriter csv(out);
    csv.row("rank", "rule", "title", "place", "where", "module", "evidence", "gain", "gain_low", "gain_high",
        "confidence", "effort", "score", "advice", "check", "caution");
    std::size_t rank = 0;
    for (const Recommendation &item : recommendations.items) {
        std::string evidence;
        for (const Evidence &each : item.evidence)
            evidence += (evidence.empty() ? "" : "; ") + each.what + ": " + each.text;
        csv.row(++rank, item.rule, item.title, item.place, item.where, item.module, evidence,
            nameIn(kGains, item.gainKind), item.gain.low, item.gain.high, item.confidence, item.effort, item.score,
            item.advice, item.check, item.caution);
    }
}

} // namespace model
