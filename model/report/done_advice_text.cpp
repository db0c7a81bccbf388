// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/report/done_advice_text.h"

#include "model/base/format_interval.h"
#include "model/report/difference_words.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <cmath>

namespace model {

namespace {

using Json = nlohmann::ordered_json;

std::string_view verdictKey(GainVerdict verdict)
{
    return verdict == GainVerdict::Inside ? "inside" : verdict == GainVerdict::Less ? "less" : "more";
}

std::string_view verdictText(GainVerdict verdict)
{
    return verdict == GainVerdict::Inside ? "inside what was expected"
        : verdict == GainVerdict::Less    ? "less than expected"
                                          : "more than expected";
}

Json jsonOf(const DoneAdvice &done)
{
    Json object{{"id", done.id}, {"done_wall_ns", done.doneWallNs}};
    if (done.measured)
        object["measured"] = {{"gain", done.measured->gain}, {"low95", done.measured->interval95.low},
            {"high95", done.measured->interval95.high}, {"verdict", verdictKey(done.measured->verdict)},
            {"later", done.measured->later}};
    return object;
}

double numberOf(const Json &object, const char *key)
{
    const auto found = object.find(key);
    return found != object.end() && found->is_number() ? found->get<double>() : 0;
}

std::string textOf(const Json &object, const char *key)
{
    const auto found = object.find(key);
    return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::optional<DoneAdvice> doneOf(const Json &object)
{
    if (!object.is_object() || textOf(object, "id").empty())
        return std::nullopt;
    DoneAdvice done{.id = textOf(object, "id"), .measured = {}};
    if (const auto when = object.find("done_wall_ns"); when != object.end() && when->is_number_integer())
        done.doneWallNs = when->get<std::int64_t>();
    const auto measured = object.find("measured");
    if (measured == object.end() || !measured->is_object())
        return done;
    const std::string verdict = textOf(*measured, "verdict");
    done.measured = MeasuredGain{.gain = numberOf(*measured, "gain"),
        .interval95 = {numberOf(*measured, "low95"), numberOf(*measured, "high95")},
        .verdict = verdict == "less" ? GainVerdict::Less
            : verdict == "more"      ? GainVerdict::More
                                     : GainVerdict::Inside,
        .later = textOf(*measured, "later")};
    return done;
}

Unit unitOf(GainKind kind)
{
    return kind == GainKind::Bytes ? Unit::Bytes : kind == GainKind::BytesPerHour ? Unit::BytesPerHour : Unit::Percent;
}

std::string amount(double gain, GainKind kind)
{
    return unitOf(kind) == Unit::Percent ? formatShare(gain) : formatValue(gain, unitOf(kind));
}

std::string amounts(const Interval &gain, GainKind kind)
{
    const double factor = unitOf(kind) == Unit::Percent ? 100 : 1;
    return formatInterval(gain.low * factor, gain.high * factor, unitOf(kind));
}

} // namespace

std::string doneAdviceText(const std::vector<DoneAdvice> &done)
{
    std::string text;
    for (const DoneAdvice &each : done)
        text += jsonOf(each).dump(-1, ' ', false, Json::error_handler_t::replace) + '\n';
    return text;
}

std::vector<DoneAdvice> doneAdviceOf(std::string_view text)
{
    std::vector<DoneAdvice> done;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        const Json line = Json::parse(text.substr(0, end), nullptr, false);
        if (auto each = doneOf(line))
            done.push_back(std::move(*each));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return done;
}

std::string measuredGainText(const MeasuredGain &measured, GainKind kind)
{
    const bool isExact = measured.interval95.low == measured.interval95.high;
    const std::string interval
        = isExact ? std::string() : fmt::format(" (95 %: {})", amounts(measured.interval95, kind));
    const std::string_view of = kind == GainKind::CpuShare ? " of the CPU time"
        : kind == GainKind::AllocationShare                ? " of the allocations"
        : kind == GainKind::TimeShare                      ? " of the time of these threads"
                                                           : "";
    return fmt::format(
        "{}{}{} in {}: {}", amount(measured.gain, kind), of, interval, measured.later, verdictText(measured.verdict));
}

} // namespace model
