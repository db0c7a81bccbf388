// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/recording/control_protocol.h"

#include "model/heap_mode.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <utility>

namespace capture {

namespace {

using Json = nlohmann::json;

constexpr std::array<std::pair<ControlCommand, std::string_view>, 7> kCommands{{
    {ControlCommand::Stop, "stop"},
    {ControlCommand::Pause, "pause"},
    {ControlCommand::Resume, "resume"},
    {ControlCommand::Mark, "mark"},
    {ControlCommand::Mode, "mode"},
    {ControlCommand::Status, "status"},
    {ControlCommand::Scan, "scan"},
}};

constexpr std::array<std::pair<model::SessionState, std::string_view>, 5> kStates{{
    {model::SessionState::Recording, "recording"},
    {model::SessionState::Paused, "paused"},
    {model::SessionState::Stopping, "stopping"},
    {model::SessionState::Complete, "complete"},
    {model::SessionState::Unfinished, "unfinished"},
}};

/// Every number of a status with its key, so that both directions are made from one list.
struct NumberField
{
    const char *key;
    std::int64_t RecordingStatus::*member;
};

constexpr std::array<NumberField, 13> kNumbers{{
    {"duration_ns", &RecordingStatus::durationNs},
    {"ticks", &RecordingStatus::ticks},
    {"processes", &RecordingStatus::processes},
    {"live_bytes", &RecordingStatus::liveBytes},
    {"live_bytes_change", &RecordingStatus::liveBytesChange},
    {"allocations", &RecordingStatus::allocations},
    {"frees", &RecordingStatus::frees},
    {"cpu_samples", &RecordingStatus::cpuSamples},
    {"events_dropped", &RecordingStatus::eventsDropped},
    {"samples_lost", &RecordingStatus::samplesLost},
    {"file_bytes", &RecordingStatus::fileBytes},
    {"recorder_cpu_ns", &RecordingStatus::recorderCpuNs},
    {"recorder_rss_bytes", &RecordingStatus::recorderRssBytes},
}};

std::string dump(const Json &json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

Json toJson(const RecordingStatus &status)
{
    Json json{{"state", stateName(status.state)}, {"target_pid", status.targetPid}, {"heap_traced", status.heapTraced},
        {"heap_sampled", status.heapSampled}, {"trouble", status.trouble}};
    for (const NumberField &field : kNumbers)
        json[field.key] = status.*field.member;
    json["rss_bytes"] = status.rssBytes ? Json(*status.rssBytes) : Json();
    json["cpu_millipercent"] = status.cpuMilliPercent ? Json(*status.cpuMilliPercent) : Json();
    return json;
}

std::optional<std::int64_t> numberOf(const Json &json, const char *key)
{
    const auto it = json.find(key);
    if (it == json.end() || !it->is_number_integer())
        return std::nullopt;
    return it->get<std::int64_t>();
}

std::string textOf(const Json &json, const char *key)
{
    const auto it = json.find(key);
    return it != json.end() && it->is_string() ? it->get<std::string>() : std::string();
}

/// False where it is missing, as in what an older recorder says.
bool isTrue(const Json &json, const char *key)
{
    const auto it = json.find(key);
    return it != json.end() && it->is_boolean() && it->get<bool>();
}

RecordingStatus statusFrom(const Json &json)
{
    RecordingStatus status;
    for (const auto &[state, name] : kStates) {
        if (name == textOf(json, "state"))
            status.state = state;
    }
    for (const NumberField &field : kNumbers)
        status.*field.member = numberOf(json, field.key).value_or(0);
    status.targetPid = static_cast<std::int32_t>(numberOf(json, "target_pid").value_or(0));
    status.rssBytes = numberOf(json, "rss_bytes");
    status.cpuMilliPercent = numberOf(json, "cpu_millipercent");
    status.heapTraced = isTrue(json, "heap_traced");
    status.heapSampled = isTrue(json, "heap_sampled");
    status.trouble = textOf(json, "trouble");
    return status;
}

} // namespace

std::string_view controlCommandName(ControlCommand command)
{
    return kCommands.at(static_cast<std::size_t>(command)).second;
}

std::optional<ControlCommand> controlCommandFromName(std::string_view name)
{
    for (const auto &[command, commandName] : kCommands) {
        if (commandName == name)
            return command;
    }
    return std::nullopt;
}

std::string_view stateName(model::SessionState state) { return kStates.at(static_cast<std::size_t>(state)).second; }

std::string encode(const ControlRequest &request)
{
    Json json{{"command", controlCommandName(request.command)}};
    if (!request.text.empty())
        json["text"] = request.text;
    if (request.agoNs > 0)
        json["ago_ns"] = request.agoNs;
    if (request.command == ControlCommand::Scan) {
        json["min_age_ns"] = request.scan.parameters.minAgeNs;
        json["confirm_after_ns"] = request.scan.parameters.confirmAfterNs;
        json["confirm"] = request.scan.isConfirmed;
    }
    return dump(json);
}

std::string encode(const ControlReply &reply)
{
    Json json{{"ok", reply.error.empty()}, {"status", toJson(reply.status)}};
    if (!reply.error.empty())
        json["error"] = reply.error;
    if (reply.scan != 0)
        json["scan"] = reply.scan;
    return dump(json);
}

model::Result<ControlRequest> decodeRequest(std::string_view line)
{
    const Json json = Json::parse(line, nullptr, false);
    if (!json.is_object())
        return model::Error("Not a request: one JSON object a line is expected, such as {\"command\":\"status\"}");
    const std::string name = textOf(json, "command");
    const auto command = controlCommandFromName(name);
    if (!command)
        return model::Error(
            "Unknown command \"" + name + "\": stop, pause, resume, mark, mode, status and scan are known");
    ControlRequest request{*command, textOf(json, "text"), {}};
    request.agoNs = std::clamp<std::int64_t>(numberOf(json, "ago_ns").value_or(0), 0, kLongestAgoNs);
    if (*command == ControlCommand::Scan) {
        ScanParameters &parameters = request.scan.parameters;
        parameters.minAgeNs = std::max<std::int64_t>(numberOf(json, "min_age_ns").value_or(parameters.minAgeNs), 0);
        parameters.confirmAfterNs
            = std::max<std::int64_t>(numberOf(json, "confirm_after_ns").value_or(parameters.confirmAfterNs), 0);
        const auto confirm = json.find("confirm");
        request.scan.isConfirmed = confirm != json.end() && confirm->is_boolean() && confirm->get<bool>();
    }
    if (request.command == ControlCommand::Mark && request.text.empty())
        return model::Error("A mark needs a text");
    if (request.command == ControlCommand::Mode)
        if (const auto wish = model::parseHeapWish(request.text); !wish)
            return wish.error();
    if (request.text.size() > kMarkTextBytes)
        return model::Error("The text of a mark may have at most 1024 bytes");
    return request;
}

model::Result<ControlReply> decodeReply(std::string_view line)
{
    const Json json = Json::parse(line, nullptr, false);
    if (!json.is_object() || !json.contains("ok") || !json["ok"].is_boolean())
        return model::Error("The recorder's answer could not be understood");
    ControlReply reply;
    if (const auto status = json.find("status"); status != json.end() && status->is_object())
        reply.status = statusFrom(*status);
    const std::int64_t scan = numberOf(json, "scan").value_or(0);
    reply.scan = scan > 0 && scan <= UINT32_MAX ? static_cast<std::uint32_t>(scan) : 0;
    if (!json["ok"].get<bool>()) {
        reply.error = textOf(json, "error");
        if (reply.error.empty())
            reply.error = "The recorder refused without saying why";
    }
    return reply;
}

} // namespace capture
