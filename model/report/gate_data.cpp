// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/aggregate/function_index.h"
#include "model/report/difference_words.h"
#include "model/report/gate_report.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cctype>
#include <cmath>
#include <ostream>

namespace model {

namespace {

using Json = nlohmann::ordered_json;

void write(std::ostream &out, const Json &object)
{
    out << object.dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
}

Json number(double value) { return std::isfinite(value) ? Json(value) : Json(); }

/// Text of an XML 1.0 attribute or element; characters that it does not allow become '?'.
std::string xmlText(std::string_view text)
{
    std::string escaped;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '&')
            escaped += "&amp;";
        else if (c == '<')
            escaped += "&lt;";
        else if (c == '>')
            escaped += "&gt;";
        else if (c == '"')
            escaped += "&quot;";
        else
            escaped += byte < 0x20 && c != '\n' && c != '\t' ? '?' : c;
    }
    return escaped;
}

/// Each stack with a line for each function, leaf first.
std::string stacksText(const GateFinding &finding)
{
    const Unit unit = gateKeyInfo(finding.key).unit;
    std::string text;
    for (const GateStack &stack : finding.stacks) {
        text += fmt::format("{} -> {} in {}\n", costText(stack.base, unit), costText(stack.current, unit),
            shortFunctionName(stack.frame().function));
        for (const GateFrame &frame : stack.frames)
            text += frame.file.empty() ? fmt::format("    {}\n", frame.function)
                                       : fmt::format("    {}  {}:{}\n", frame.function, frame.file, frame.line);
    }
    return text;
}

Json stackObject(const GateStack &stack)
{
    const GateFrame &shown = stack.frame();
    Json object = {{"base", stack.base}, {"current", stack.current}, {"stack", stack.stack},
        {"function", shown.function}, {"file", shown.file}, {"line", shown.line}, {"frames", Json::array()}};
    for (const GateFrame &frame : stack.frames)
        object["frames"].push_back({{"function", frame.function}, {"file", frame.file}, {"line", frame.line}});
    return object;
}

Json findingObject(const GateFinding &finding)
{
    Json object = {{"key", gateKeyInfo(finding.key).name}, {"outcome", outcomeKey(finding.outcome)},
        {"text", findingText(finding)}, {"is_noisy", finding.isNoisy}, {"is_only_told", finding.isOnlyTold},
        {"base", finding.hasBase ? Json(finding.base) : Json()}, {"current", finding.current},
        {"limit",
            {{"share", finding.limit.share}, {"amount", finding.limit.amount}, {"is_off", finding.limit.isOff},
                {"most", finding.limit.most ? Json(*finding.limit.most) : Json()}}},
        {"runs", finding.runs}, {"ratio_interval95", {number(finding.ratio95.low), number(finding.ratio95.high)}},
        {"p_value", finding.pValue}, {"superiority", finding.superiority}, {"needed_runs", finding.neededRuns},
        {"stacks", Json::array()}};
    for (const GateStack &stack : finding.stacks)
        object["stacks"].push_back(stackObject(stack));
    return object;
}

/// A path as a URI: bytes that have another meaning there are written as %xx.
std::string uriOf(std::string_view path, std::string_view root)
{
    if (!root.empty() && path.starts_with(root) && path.size() > root.size() && path[root.size()] == '/')
        path.remove_prefix(root.size() + 1);
    std::string uri = path.starts_with('/') ? "file://" : "";
    for (const char c : path) {
        const bool isPlain = std::isalnum(static_cast<unsigned char>(c)) != 0
            || std::string_view("/._-~").find(c) != std::string_view::npos;
        uri += isPlain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
    return uri;
}

Json sarifPlace(const GateFrame &frame, const std::string &root)
{
    return {{"artifactLocation", {{"uri", uriOf(frame.file, root)}}},
        {"region", {{"startLine", std::max(frame.line, 1u)}}}};
}

/// The frames as SARIF's stack (section 3.44), leaf first.
Json sarifStack(const GateStack &stack, const std::string &root)
{
    Json frames = Json::array();
    for (const GateFrame &frame : stack.frames) {
        Json location = {{"logicalLocations", {{{"fullyQualifiedName", frame.function}, {"kind", "function"}}}}};
        if (!frame.file.empty())
            location["physicalLocation"] = sarifPlace(frame, root);
        frames.push_back({{"location", std::move(location)}});
    }
    return {{"frames", std::move(frames)}};
}

Json sarifResult(
    const GateFinding &finding, const GateStack *stack, const std::string &command, const std::string &root)
{
    const bool isWorse = finding.outcome == GateOutcome::Worse;
    std::string text = findingText(finding);
    if (stack != nullptr)
        text += fmt::format(". {} -> {} in {}: {}", costText(stack->base, gateKeyInfo(finding.key).unit),
            costText(stack->current, gateKeyInfo(finding.key).unit), shortFunctionName(stack->frame().function),
            stack->stack);
    Json result = {{"ruleId", gateKeyInfo(finding.key).name}, {"level", isWorse ? "error" : "warning"},
        {"message", {{"text", text}}}};
    // What is responsible; where no line is, the program: those who show results refuse one that stands nowhere.
    const std::string program = command.empty() ? "." : command.substr(0, command.find(' '));
    const bool hasLine = stack != nullptr && !stack->frame().file.empty();
    const GateFrame place = hasLine ? stack->frame() : GateFrame{.file = program};
    result["locations"] = {{{"physicalLocation", sarifPlace(place, root)}}};
    if (stack != nullptr)
        result["stacks"] = {sarifStack(*stack, root)};
    return result;
}

} // namespace

void writeGateJson(std::ostream &out, const GateReport &report)
{
    Json object = {{"verdict", gateVerdictText(report)}, {"command", report.command}, {"against", report.against},
        {"seconds", report.seconds}, {"failure", report.failure}, {"notes", report.notes}, {"findings", Json::array()}};
    for (const GateFinding &finding : report.findings)
        object["findings"].push_back(findingObject(finding));
    write(out, object);
}

void writeGateJunit(std::ostream &out, const GateReport &report)
{
    const auto count = [&report](GateOutcome outcome) {
        return std::count_if(report.findings.begin(), report.findings.end(),
            [outcome](const GateFinding &finding) { return finding.outcome == outcome; });
    };
    const auto blind = std::count_if(
        report.findings.begin(), report.findings.end(), [](const GateFinding &finding) { return finding.isBlind(); });
    const bool hasFailed = !report.failure.empty();
    out << "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        << fmt::format("<testsuite name=\"genprof gate: {}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\" "
                       "time=\"{:.3f}\">\n",
               xmlText(report.command), report.findings.size() + (hasFailed ? 1 : 0), count(GateOutcome::Worse),
               count(GateOutcome::Unclear) + blind + (hasFailed ? 1 : 0), count(GateOutcome::Absent) - blind,
               report.seconds);
    for (const GateFinding &finding : report.findings) {
        const std::string text = xmlText(findingText(finding));
        out << fmt::format("  <testcase classname=\"genprof.gate\" name=\"{}\">", gateKeyInfo(finding.key).name);
        if (finding.outcome == GateOutcome::Worse)
            out << fmt::format("<failure message=\"{}\">{}</failure>", text, xmlText(stacksText(finding)));
        else if (finding.outcome == GateOutcome::Unclear || finding.isBlind())
            out << fmt::format("<error message=\"{}\"/>", text);
        else if (finding.outcome == GateOutcome::Absent)
            out << fmt::format("<skipped message=\"{}\"/>", text);
        else
            out << "<system-out>" << text << "</system-out>";
        out << "</testcase>\n";
    }
    if (hasFailed)
        out << fmt::format("  <testcase classname=\"genprof.gate\" name=\"run\"><error message=\"{}\"/></testcase>\n",
            xmlText(report.failure));
    out << "</testsuite>\n";
}

void writeGateSarif(std::ostream &out, const GateReport &report, const std::string &root)
{
    Json rules = Json::array();
    for (const GateKeyInfo &info : kGateKeys)
        rules.push_back({{"id", info.name}, {"shortDescription", {{"text", std::string(info.label) + " grew"}}}});
    Json results = Json::array();
    for (const GateFinding &finding : report.findings) {
        const bool isTold = finding.outcome == GateOutcome::Worse
            || (finding.outcome == GateOutcome::Grown && !finding.stacks.empty());
        if (isTold && finding.stacks.empty())
            results.push_back(sarifResult(finding, nullptr, report.command, root));
        for (const GateStack &stack : finding.stacks)
            if (isTold)
                results.push_back(sarifResult(finding, &stack, report.command, root));
    }
    Json run = {{"tool", {{"driver", {{"name", "genprof gate"}, {"rules", rules}}}}}, {"results", results}};
    if (!report.failure.empty())
        run["invocations"] = {{{"executionSuccessful", false},
            {"toolExecutionNotifications", {{{"level", "error"}, {"message", {{"text", report.failure}}}}}}}};
    write(out, {{"$schema", "https://json.schemastore.org/sarif-2.1.0.json"}, {"version", "2.1.0"}, {"runs", {run}}});
}

} // namespace model
