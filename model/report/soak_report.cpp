// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/report/soak_report.h"

#include "model/aggregate/unrecorded_heap.h"
#include "model/analysis/soak_places.h"
#include "model/base/format_interval.h"
#include "model/report/csv_writer.h"
#include "model/report/session_words.h"
#include "model/report/text_parts.h"
#include "model/report/text_table.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <ostream>

namespace model {

namespace {

using Json = nlohmann::ordered_json;

constexpr const char *kNoTest = "This session is no stability test; genprof soak makes one.";

std::string percent(double share)
{
    if (!std::isfinite(share))
        return "?";
    const std::string text = fmt::format("{:.1f}", std::abs(share) * 100);
    return text == "0.0" ? "0" : (share < 0 ? "−" : "+") + text;
}

std::string growthText(const StabilityVerdict &verdict)
{
    // An interval without end says that nothing is known yet.
    if (!std::isfinite(verdict.growthInterval.low) || !std::isfinite(verdict.growthInterval.high))
        return percent(verdict.growth) + " %";
    return withInterval(percent(verdict.growth) + " %",
        intervalParts(
            verdict.growthInterval.low * 100, verdict.growthInterval.high * 100, Unit::Percent, Sign::Always));
}

std::string stateText(const SoakJudgement &judgement)
{
    if (!judgement.isJudged)
        return "not judged";
    std::string text(stabilityKey(judgement.verdict.state));
    std::replace(text.begin(), text.end(), '_', ' ');
    return text;
}

std::string outcomeWord(SoakOutcome outcome)
{
    std::string text(soakOutcomeKey(outcome));
    std::replace(text.begin(), text.end(), '_', ' ');
    std::transform(text.begin(), text.end(), text.begin(), [](char c) { return c >= 'a' && c <= 'z' ? c - 32 : c; });
    return text;
}

/// Passed, but without the whole time.
bool isEarlyPass(const SoakAnswer &answer) { return answer.outcome == SoakOutcome::Stable && answer.isProvisional; }

/// "STABLE SO FAR".
std::string outcomeText(const SoakAnswer &answer)
{
    return outcomeWord(answer.outcome) + (isEarlyPass(answer) ? " SO FAR" : "");
}

/// What an early pass leaves open.
std::string earlyText(const SoakRecord &soak, const SoakAnswer &answer)
{
    return fmt::format("Provisional: {} of {} were tested; a leak that begins later is not seen.{}",
        formatDuration(answer.elapsed), formatDuration(soak.plan->length),
        soak.end ? " --stop-early fail takes the whole time." : "");
}

Duration hoursOf(const SoakPlan &plan, double hours)
{
    return {static_cast<std::int64_t>(hours / 48 * static_cast<double>(plan.length.ns))};
}

Json share(double value) { return std::isfinite(value) ? Json(value) : Json(); }

Json seconds(const SoakPlan &plan, const std::optional<double> &hours)
{
    return hours ? Json(hoursOf(plan, *hours).seconds()) : Json();
}

Json judgementObject(const SoakPlan &plan, const SoakJudgement &judgement)
{
    const StabilityVerdict &verdict = judgement.verdict;
    Json object{{"quantity", soakQuantityKey(judgement.quantity)}, {"is_judged", judgement.isJudged},
        {"exclusion", judgement.exclusion}};
    object.update({{"state", stabilityKey(verdict.state)}, {"sentence", verdict.sentence},
        {"warm_up_s", hoursOf(plan, verdict.startHours).seconds()}, {"level_bytes", verdict.level},
        {"newest_bytes", judgement.level}, {"growth_share", verdict.growth},
        {"growth_interval", {share(verdict.growthInterval.low), share(verdict.growthInterval.high)}},
        {"raised_share", verdict.raised}, {"raised_interval95", {verdict.raised95.low, verdict.raised95.high}},
        {"step_s", seconds(plan, verdict.stepHours)}, {"step_share", verdict.stepHeight},
        {"evidence", verdict.evidence}, {"threshold", verdict.threshold}, {"blocks", verdict.blocks},
        {"decided_s", seconds(plan, verdict.decidedHours)}, {"revoked_s", seconds(plan, verdict.revokedHours)},
        {"unseen_steps_share", verdict.unseenSteps}});
    return object;
}

std::string xmlEscaped(std::string_view text)
{
    std::string escaped;
    for (const char c : text) {
        switch (c) {
        case '&':
            escaped += "&amp;";
            break;
        case '<':
            escaped += "&lt;";
            break;
        case '>':
            escaped += "&gt;";
            break;
        case '"':
            escaped += "&quot;";
            break;
        default:
            // XML 1.0 knows no other control characters, not even escaped.
            escaped += static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t' ? '?' : c;
        }
    }
    return escaped;
}

void writeQuantities(std::ostream &out, const SoakAnswer &answer, const SoakPlan &plan, std::size_t columns)
{
    TextTable table({{"quantity"}, {"now", Align::Right}, {"growth in " + formatDuration(plan.length), Align::Right},
        {"warm-up", Align::Right}, {"verdict"}});
    for (const SoakSegment &segment : answer.segments)
        for (const SoakJudgement &judgement : segment.judgements) {
            const StabilityVerdict &verdict = judgement.verdict;
            const std::string name(soakQuantityLabel(judgement.quantity));
            const bool isKnown = verdict.blocks > 0;
            table.row({answer.segments.size() > 1 ? fmt::format("{}: {}", segment.id + 1, name) : name,
                isKnown || judgement.level > 0 ? formatBytes(judgement.level) : "", isKnown ? growthText(verdict) : "",
                isKnown ? formatDuration(hoursOf(plan, verdict.startHours)) : "", stateText(judgement)});
        }
    table.write(out, columns, 2);
}

/// " beside a cycle of 24 h"; empty where none was declared.
std::string cycleText(const SoakPlan &plan)
{
    return plan.period.ns > 0 ? " beside a cycle of " + formatDuration(plan.period) : std::string();
}

void writeHistory(std::ostream &out, const SoakRecord &soak, std::size_t columns)
{
    writeHeading(out, "The test");
    const std::string stop = soak.plan->stopEarly == StopEarly::Never ? "never"
        : soak.plan->stopEarly == StopEarly::Pass                     ? "once it is sure to pass"
        : soak.plan->stopEarly == StopEarly::Fail                     ? "once it is sure to fail"
                                                                      : "once the answer is sure";
    writeWrapped(out,
        fmt::format("Asked: no more than {:g} % growth in {}{}; ends early: {}.", soak.plan->mostGrowth * 100,
            formatDuration(soak.plan->length), cycleText(*soak.plan), stop),
        columns, 2, 2);
    for (const SoakLeg &leg : soak.legs)
        writeWrapped(out,
            fmt::format("Leg {}, segment {}: process {}{}{}", leg.id + 1, leg.segment + 1, leg.pid,
                leg.file.empty() ? "" : ", its recording is ", leg.file),
            columns, 2, 2);
    for (const SoakLoad &load : soak.loads)
        writeWrapped(out,
            fmt::format("Load \"{}\": started {}, failed {}{}", load.command,
                load.starts == 1 ? "once" : formatCount(load.starts) + " times", formatCount(load.failures),
                load.trouble.empty() ? "" : "; last, it " + load.trouble),
            columns, 2, 2);
}

} // namespace

std::string soakVerdictText(const SoakAnswer &answer)
{
    return fmt::format("{}. {}", outcomeText(answer), answer.sentence);
}

std::string soakHeadline(const Snapshot &snapshot)
{
    if (!snapshot.soak || !snapshot.soak->plan)
        return {};
    return soakVerdictText(soakAnswer(*snapshot.soak));
}

void writeSoakText(std::ostream &out, const Snapshot &snapshot, const TextReportOptions &options)
{
    writeTitle(out, snapshot, options);
    writeHeading(out, "Stability");
    if (!snapshot.soak || !snapshot.soak->plan) {
        writeWrapped(out, kNoTest, options.columns, 2);
        return;
    }
    const SoakAnswer answer = soakAnswer(*snapshot.soak);
    writeWrapped(out, soakVerdictText(answer), options.columns, 2, 2);
    if (isEarlyPass(answer))
        writeWrapped(out, earlyText(*snapshot.soak, answer), options.columns, 2, 2);
    out << '\n';
    writeQuantities(out, answer, *snapshot.soak->plan, options.columns);
    for (const std::string &note : answer.notes)
        writeWrapped(out, note, options.columns, 2, 2);
    const std::vector<SoakPlace> places = soakPlaces(snapshot);
    writeHeading(out, "What grew");
    if (places.empty())
        writeWrapped(out,
            !isHeapRecorded(snapshot)   ? "The heap was not recorded in this leg: no stack can be named."
                : snapshot.heap.empty() ? "Nothing was allocated in this leg."
                                        : "No stack grew with the memory.",
            options.columns, 2);
    for (const SoakPlace &place : places) {
        writeWrapped(out, fmt::format("{}{}{}", place.function, place.where.empty() ? "" : "  ", place.where),
            options.columns, 2, 4);
        writeWrapped(out, place.reason, options.columns, 6);
    }
    writeHistory(out, *snapshot.soak, options.columns);
}

void writeSoakCsv(std::ostream &out, const Snapshot &snapshot)
{
    CsvWriter csv(out);
    csv.row("segment", "quantity", "seconds", "bytes", "stack_growth_share", "row", "state", "growth_share",
        "growth_low", "growth_high", "sentence");
    if (!snapshot.soak || !snapshot.soak->plan)
        return;
    const SoakAnswer answer = soakAnswer(*snapshot.soak);
    csv.row("", "", answer.elapsed.seconds(), "", "", "answer", soakOutcomeKey(answer.outcome), "", "", "",
        soakVerdictText(answer));
    for (const SoakSegment &segment : answer.segments)
        for (const SoakJudgement &judgement : segment.judgements) {
            const StabilityVerdict &verdict = judgement.verdict;
            csv.row(segment.id + 1, soakQuantityKey(judgement.quantity), segment.length.seconds(), judgement.level, "",
                "quantity", judgement.isJudged ? stabilityKey(verdict.state) : "not_judged", verdict.growth,
                verdict.growthInterval.low, verdict.growthInterval.high,
                judgement.isJudged ? verdict.sentence : judgement.exclusion);
        }
    for (const SoakPlace &place : soakPlaces(snapshot))
        csv.row("", "", "", "", "", "place", place.isLeak ? "leak" : "grows", "", "", "",
            fmt::format("{}{}{}: {}", place.function, place.where.empty() ? "" : " ", place.where, place.reason));
    const double part = snapshot.soak->plan->length.seconds() / kSoakParts;
    for (const SoakPoint &point : snapshot.soak->points)
        csv.row(point.segment + 1, soakQuantityKey(point.quantity), static_cast<double>(point.part) * part, point.value,
            point.stackGrowth, "point", "", "", "", "", "");
}

void writeSoakJson(std::ostream &out, const Snapshot &snapshot)
{
    Json object{{"file", snapshot.file}, {"is_soak", snapshot.soak && snapshot.soak->plan}};
    if (object["is_soak"].get<bool>()) {
        const SoakRecord &soak = *snapshot.soak;
        const SoakPlan &plan = *soak.plan;
        const SoakAnswer answer = soakAnswer(soak);
        object.update({{"outcome", soakOutcomeKey(answer.outcome)}, {"is_provisional", answer.isProvisional},
            {"is_whole", soak.end && soak.end->isWhole}, {"sentence", answer.sentence}, {"notes", answer.notes},
            {"length_s", plan.length.seconds()}, {"most_growth_share", plan.mostGrowth},
            {"period_s", plan.period.ns > 0 ? Json(plan.period.seconds()) : Json()},
            {"elapsed_s", answer.elapsed.seconds()},
            {"expected_s", answer.expected ? Json(answer.expected->seconds()) : Json()}});
        object["segments"] = Json::array();
        for (const SoakSegment &segment : answer.segments) {
            Json row{{"segment", segment.id + 1}, {"length_s", segment.length.seconds()},
                {"unseen_s", segment.unseen.seconds()}, {"quantities", Json::array()}};
            for (const SoakJudgement &judgement : segment.judgements)
                row["quantities"].push_back(judgementObject(plan, judgement));
            object["segments"].push_back(std::move(row));
        }
        object["places"] = Json::array();
        for (const SoakPlace &place : soakPlaces(snapshot))
            object["places"].push_back({{"function", place.function}, {"where", place.where}, {"is_leak", place.isLeak},
                {"reason", place.reason}});
        object["legs"] = Json::array();
        for (const SoakLeg &leg : soak.legs)
            object["legs"].push_back({{"leg", leg.id + 1}, {"segment", leg.segment + 1}, {"pid", leg.pid},
                {"began_wall_ns", leg.beganWallNs}, {"file", leg.file}});
        object["loads"] = Json::array();
        for (const SoakLoad &load : soak.loads)
            object["loads"].push_back({{"command", load.command}, {"starts", load.starts}, {"failures", load.failures},
                {"trouble", load.trouble}});
    }
    out << object.dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
}

namespace {

/// A test case and what came of it.
struct JunitCase
{
    std::string name;
    std::string element; ///< "failure", "error", "skipped"; empty: passed
    std::string text;
    double seconds = 0;
};

std::vector<JunitCase> junitCases(const SoakRecord &soak, const SoakAnswer &answer)
{
    std::vector<JunitCase> cases;
    const bool isEnded = soak.end.has_value();
    for (const SoakSegment &segment : answer.segments)
        for (const SoakJudgement &judgement : segment.judgements) {
            const StabilityState state = judgement.verdict.state;
            const bool passes = state == StabilityState::Pass || state == StabilityState::ProvisionalPass;
            cases.push_back({fmt::format("{}{}", soakQuantityLabel(judgement.quantity),
                                 answer.segments.size() > 1 ? fmt::format(", segment {}", segment.id + 1) : ""),
                !judgement.isJudged                 ? "skipped"
                    : state == StabilityState::Fail ? "failure"
                    : passes                        ? ""
                                                    : "skipped",
                judgement.isJudged ? judgement.verdict.sentence : judgement.exclusion, segment.length.seconds()});
        }
    if (isEarlyPass(answer))
        cases.push_back({"Whole time", "skipped", earlyText(soak, answer), answer.elapsed.seconds()});
    const std::string reason = isEnded ? soak.end->reason : std::string();
    const bool targetFailed = answer.outcome == SoakOutcome::TargetFailed;
    cases.push_back({"Target runs", targetFailed ? "error" : "", targetFailed ? reason : "", answer.elapsed.seconds()});
    const bool loadFailed = answer.outcome == SoakOutcome::LoadFailed;
    for (const SoakLoad &load : soak.loads)
        cases.push_back({"Load: " + load.command,
            loadFailed && reason.find('"' + load.command + '"') != std::string::npos ? "error" : "", reason,
            answer.elapsed.seconds()});
    return cases;
}

} // namespace

void writeSoakJunit(std::ostream &out, const Snapshot &snapshot)
{
    out << "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
    if (!snapshot.soak || !snapshot.soak->plan) {
        out << "<testsuites/>\n<!-- " << kNoTest << " -->\n";
        return;
    }
    const SoakAnswer answer = soakAnswer(*snapshot.soak);
    const std::vector<JunitCase> cases = junitCases(*snapshot.soak, answer);
    const auto count = [&](std::string_view element) {
        return std::count_if(cases.begin(), cases.end(), [&](const JunitCase &one) { return one.element == element; });
    };
    out << fmt::format("<testsuites>\n  <testsuite name=\"genprof soak\" tests=\"{}\" failures=\"{}\" errors=\"{}\" "
                       "skipped=\"{}\" time=\"{:.3f}\">\n",
        cases.size(), count("failure"), count("error"), count("skipped"), answer.elapsed.seconds());
    for (const JunitCase &one : cases) {
        out << fmt::format(
            "    <testcase classname=\"soak\" name=\"{}\" time=\"{:.3f}\"", xmlEscaped(one.name), one.seconds);
        if (one.element.empty())
            out << "/>\n";
        else
            out << fmt::format(">\n      <{} message=\"{}\"/>\n    </testcase>\n", one.element, xmlEscaped(one.text));
    }
    std::string text = answer.sentence;
    for (const SoakPlace &place : soakPlaces(snapshot))
        text += fmt::format("\nGrew: {} {} {}", place.function, place.where, place.reason);
    for (const std::string &note : answer.notes)
        text += '\n' + note;
    out << "    <system-out>" << xmlEscaped(text) << "</system-out>\n  </testsuite>\n</testsuites>\n";
}

} // namespace model
