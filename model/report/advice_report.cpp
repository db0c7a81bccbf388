// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/report/advice_report.h"

#include "model/base/format_interval.h"
#include "model/report/text_parts.h"
#include "model/report/text_table.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <array>
#include <ostream>

namespace model {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::array<std::string_view, 5> kGainKeys{
    "cpu_share", "bytes", "bytes_per_hour", "allocation_share", "time_share"};

Json jsonOf(const Interval &interval) { return Json::array({interval.low, interval.high}); }

Json jsonOf(const Recommendation &item, std::size_t rank)
{
    Json evidence = Json::array();
    for (const Evidence &each : item.evidence) {
        Json one{{"what", each.what}, {"value", each.value}, {"text", each.text}};
        if (each.interval)
            one["interval"] = jsonOf(*each.interval);
        evidence.push_back(std::move(one));
    }
    return {{"rank", rank}, {"id", recommendationId(item)}, {"rule", item.rule}, {"title", item.title},
        {"place", item.place}, {"where", item.where}, {"module", item.module}, {"evidence", std::move(evidence)},
        {"gain_kind", kGainKeys.at(static_cast<std::size_t>(item.gainKind))}, {"gain", jsonOf(item.gain)},
        {"confidence", item.confidence}, {"effort", item.effort}, {"score", item.score}, {"advice", item.advice},
        {"check", item.check}, {"caution", item.caution}};
}

std::string shares(const Interval &gain) { return formatInterval(gain.low * 100, gain.high * 100, Unit::Percent); }

} // namespace

std::string gainText(const Recommendation &item)
{
    const Interval &gain = item.gain;
    switch (item.gainKind) {
    case GainKind::CpuShare:
        return shares(gain) + " of the CPU time";
    case GainKind::AllocationShare:
        return shares(gain) + " of the allocations";
    case GainKind::TimeShare:
        return shares(gain) + " of its threads' time";
    case GainKind::Bytes:
        return formatInterval(gain.low, gain.high, Unit::Bytes);
    case GainKind::BytesPerHour:
        return formatInterval(gain.low, gain.high, Unit::BytesPerHour);
    }
    return {};
}

std::string_view effortText(int effort)
{
    return effort <= 1 ? "a line"
        : effort <= 2  ? "a local rewrite"
        : effort <= 4  ? "a data structure"
                       : "the architecture";
}

void writeAdviceText(
    std::ostream &out, const Snapshot &snapshot, const Recommendations &found, const TextReportOptions &options)
{
    writeTitle(out, snapshot, options);
    writeHeading(out, "Worth changing");
    writeWrapped(out, found.sentence, options.columns, 2);
    std::size_t rank = 0;
    for (const Recommendation &item : found.items) {
        out << '\n';
        writeWrapped(out, fmt::format("{}. {}", ++rank, item.title), options.columns, 2, 3);
        TextTable table({{}, {}});
        if (!item.where.empty() || !item.module.empty())
            table.row({"Place", item.where.empty() ? item.module : item.where});
        for (const Evidence &each : item.evidence)
            table.row({each.what, each.text});
        table.row({"Expected gain", gainText(item)});
        table.row(
            {"Confidence, effort", fmt::format("{} · {}", formatShare(item.confidence), effortText(item.effort))});
        table.write(out, options.columns, 5);
        writeWrapped(out, item.advice, options.columns, 5);
        writeWrapped(out, "To check: " + item.check, options.columns, 5);
        if (!item.caution.empty())
            writeWrapped(out, "But: " + item.caution, options.columns, 5);
    }
    if (!found.notLookedAt.empty()) {
        writeHeading(out, "Not looked at");
        for (const std::string &sentence : found.notLookedAt)
            writeWrapped(out, sentence, options.columns, 2);
    }
    writeTrust(out, snapshot, options);
}

void writeAdviceJson(std::ostream &out, const Recommendations &found)
{
    Json items = Json::array();
    for (const Recommendation &item : found.items)
        items.push_back(jsonOf(item, items.size() + 1));
    const Json all{{"sentence", found.sentence}, {"items", std::move(items)}, {"not_looked_at", found.notLookedAt}};
    out << all.dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
}

} // namespace model
