// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/serve/session_service.h"

#include "app/control_client.h"
#include "app/report_arguments.h"
#include "app/report_rules.h"
#include "app/session_report.h"
#include "model/report/prometheus_report.h"
#include "model/report/session_words.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>
#include <sstream>

namespace app {

namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kReportPath = "/api/v1/report/";
constexpr std::string_view kApiPath = "/api/v1/";
constexpr std::int64_t kLongestScanNs = 3'600'000'000'000;

std::string textOf(const Json &json) { return json.dump(2, ' ', false, Json::error_handler_t::replace) + '\n'; }

bool isCommand(std::string_view name)
{
    return name == "mark" || name == "scan" || name == "pause" || name == "resume" || name == "stop";
}

bool isReadable(const std::string &path)
{
    return path == "/healthz" || path == "/metrics" || path == "/report.html" || path == "/api/v1/status"
        || path.starts_with(kReportPath);
}

/// A sentence about the options of the command line, for a query, where they have the same names.
std::string withoutDashes(std::string text)
{
    for (std::size_t at = 0; (at = text.find("--", at)) != std::string::npos;)
        text.erase(at, 2);
    return text;
}

/// The first parameter that is there twice, so that nobody knows which one is meant; empty: none.
std::string repeatedParameter(const std::vector<std::pair<std::string, std::string>> &query)
{
    for (auto one = query.begin(); one != query.end(); ++one)
        if (std::any_of(query.begin(), one, [&](const auto &before) { return before.first == one->first; }))
            return one->first;
    return {};
}

/// What the query says of a report, in the words of the command line.
model::Result<ReportOptions> reportOptions(
    const std::string &view, const std::vector<std::pair<std::string, std::string>> &query)
{
    if (view.empty())
        return model::Error("Which report is asked for? Name it behind the last slash: /api/v1/report/summary");
    ReportOptions options;
    ReportWords words{.view = view, .format = "json"};
    const auto number = [](const std::string &key, const std::string &text, auto &value) -> model::Result<void> {
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        if (error != std::errc() || end != text.data() + text.size())
            return model::Error(fmt::format("\"{}\" must be a number, not \"{}\"", key, text));
        return {};
    };
    for (const auto &[key, text] : query) {
        model::Result<void> read;
        if (key == "cost")
            words.cost = text;
        else if (key == "from")
            words.from = text;
        else if (key == "to")
            words.to = text;
        else if (key == "format")
            words.format = text;
        else if (key == "limit")
            words.limit = text;
        else if (key == "thread")
            read = number(key, text, options.tid.emplace());
        else if (key == "process")
            read = number(key, text, options.pid.emplace());
        else if (key == "offset")
            read = number(key, text, options.offset);
        else if (key == "top") {
            read = number(key, text, options.top);
            if (read && options.top == 0)
                read = model::Error("\"top\" is a number of rows: 1 or more");
        } else
            read = model::Error(fmt::format("There is no \"{}\" to ask for: cost, from, to, process, thread, limit, "
                                            "top, offset and format are known",
                key));
        if (!read)
            return read.error();
    }
    if (words.format == "html" && view != "summary")
        return model::Error("The page holds everything at once: it is at /report.html");
    if (words.format == "prometheus")
        return model::Error("The metrics for Prometheus are at /metrics");
    if (const auto read = readReport(words, options); !read)
        return model::Error(withoutDashes(read.error().text()));
    if (options.offset > 0 && !hasPages(options))
        return model::Error("\"offset\" has no effect here: it belongs to lists of stacks, which are heap, mappings, "
                            "pools, cpu, syscalls and waits as JSON or CSV");
    return options;
}

/// Takes what the body says of a command; what it may not say is named.
class BodyReader
{
public:
    static model::Result<void> read(const std::string &body, capture::ControlRequest &wish)
    {
        const bool isMark = wish.command == capture::ControlCommand::Mark;
        const Json object = body.empty() ? Json::object() : Json::parse(body, nullptr, false);
        if (!object.is_object())
            return model::Error("The body must be a JSON object"
                + std::string(isMark ? R"(: {"text": "deployed 2.4"})" : ", or empty"));
        for (const auto &[name, value] : object.items())
            if (auto taken = take(name, value, wish); !taken)
                return taken;
        if (wish.text.find('\0') != std::string::npos)
            return model::Error("The text of a mark holds no NUL bytes");
        return isMark && wish.text.empty() ? model::Error(R"(A mark needs its text: {"text": "deployed 2.4"})")
                                           : model::Result<void>();
    }

private:
    static model::Result<void> take(const std::string &name, const Json &value, capture::ControlRequest &wish)
    {
        using capture::ControlCommand;
        if (wish.command == ControlCommand::Mark && name == "text")
            return value.is_string() ? set(wish.text, value) : wrong(name, "a text");
        if (wish.command == ControlCommand::Scan && name == "confirm")
            return value.is_boolean() ? set(wish.scan.isConfirmed, value) : wrong(name, "true or false");
        capture::ScanParameters &scan = wish.scan.parameters;
        if (wish.command == ControlCommand::Scan && (name == "min_age_ns" || name == "confirm_after_ns")) {
            if (!value.is_number_integer() || value < 0 || value > kLongestScanNs)
                return wrong(name, "a number of nanoseconds from 0 to an hour");
            return set(name == "min_age_ns" ? scan.minAgeNs : scan.confirmAfterNs, value);
        }
        const char *known = wish.command == ControlCommand::Mark ? "only text is known"
            : wish.command == ControlCommand::Scan               ? "confirm, confirm_after_ns and min_age_ns are known"
                                                                 : "this takes none";
        return model::Error(fmt::format("There is no field \"{}\": {}", name, known));
    }

    template <typename Value> static model::Result<void> set(Value &to, const Json &value)
    {
        to = value.get<Value>();
        return {};
    }

    static model::Result<void> wrong(const std::string &name, const char *what)
    {
        return model::Error(fmt::format("\"{}\" must be {}", name, what));
    }
};

std::string_view typeOf(ReportFormat format)
{
    switch (format) {
    case ReportFormat::Json:
        return "application/json";
    case ReportFormat::Html:
        return "text/html; charset=utf-8";
    case ReportFormat::Csv:
        return "text/csv; charset=utf-8";
    case ReportFormat::Prometheus:
        return "text/plain; version=0.0.4; charset=utf-8";
    case ReportFormat::Junit:
        return "application/xml";
    case ReportFormat::Pprof:
        return "application/octet-stream";
    case ReportFormat::Text:
    case ReportFormat::Collapsed:
        break;
    }
    return "text/plain; charset=utf-8";
}

} // namespace

model::Result<std::unique_ptr<SessionService>> SessionService::open(
    const std::string &file, storage::SealKeyPointer key, Access access)
{
    auto reader = storage::SessionReader::open(file, std::move(key));
    if (!reader)
        return reader.error();
    return std::unique_ptr<SessionService>(new SessionService(std::move(*reader), std::move(access)));
}

SessionService::SessionService(storage::SessionReader reader, Access access)
    : m_access(std::move(access))
    , m_reader(std::move(reader))
{
}

ServiceReply SessionService::failure(int status, const std::string &sentence)
{
    return {.status = status, .body = textOf({{"error", sentence}})};
}

std::optional<ServiceReply> SessionService::refusal(const ServiceRequest &request) const
{
    const bool isOpen = request.method == "GET"
        && (request.path == "/healthz" || (request.path == "/metrics" && m_access.areMetricsOpen));
    if (isOpen || m_access.token.isIn(request.authorization))
        return std::nullopt;
    ServiceReply reply = failure(401, "This needs the token of the server: Authorization: Bearer TOKEN");
    reply.headers["WWW-Authenticate"] = "Bearer";
    return reply;
}

ServiceReply SessionService::handle(const ServiceRequest &request)
{
    if (auto refused = refusal(request))
        return std::move(*refused);
    if (request.method == "GET" && request.path == "/healthz")
        return health();
    if (request.method == "GET")
        return get(request);
    if (request.method == "POST")
        return post(request);
    ServiceReply reply = failure(405, "Only GET and POST are known here");
    reply.headers["Allow"] = "GET, POST";
    return reply;
}

ServiceReply SessionService::get(const ServiceRequest &request)
{
    if (request.path == "/metrics")
        return metrics();
    if (request.path == "/api/v1/status")
        return status();
    const bool isReport = request.path == "/report.html" || request.path.starts_with(kReportPath);
    if (const std::string repeated = repeatedParameter(request.query); isReport && !repeated.empty())
        return failure(400, fmt::format("\"{}\" is there more than once: give it once", repeated));
    if (request.path == "/report.html") {
        ServiceRequest page = request;
        page.query.emplace_back("format", "html");
        return report("summary", page);
    }
    if (request.path.starts_with(kReportPath))
        return report(request.path.substr(kReportPath.size()), request);
    if (request.path.starts_with(kApiPath) && isCommand(request.path.substr(kApiPath.size()))) {
        ServiceReply reply = failure(405, request.path + " changes a recording: use POST");
        reply.headers["Allow"] = "POST";
        return reply;
    }
    return failure(404,
        "There is nothing at " + request.path
            + "; /metrics, /report.html, /api/v1/status and /api/v1/report/VIEW can be read");
}

ServiceReply SessionService::post(const ServiceRequest &request)
{
    if (request.path.starts_with(kApiPath) && isCommand(request.path.substr(kApiPath.size())))
        return control(request.path.substr(kApiPath.size()), request);
    if (isReadable(request.path)) {
        ServiceReply reply = failure(405, request.path + " is read: use GET");
        reply.headers["Allow"] = "GET";
        return reply;
    }
    return failure(
        404, "There is nothing to do at " + request.path + "; /api/v1/mark, scan, pause, resume and stop take a POST");
}

/// Reads what is new; with the lock held.
model::Result<void> SessionService::refresh()
{
    const auto hasChanged = m_reader.poll();
    if (!hasChanged)
        return hasChanged.error();
    m_areMetricsOld = m_areMetricsOld || *hasChanged;
    return {};
}

/// That the server answers, and on a second line whether anything is recorded. Anybody may ask: it waits for no report.
ServiceReply SessionService::health()
{
    if (const std::unique_lock lock(m_mutex, std::try_to_lock); lock && refresh())
        m_state = m_reader.info().state;
    return {.type = "text/plain", .body = fmt::format("ok\nstate {}\n", model::stateKey(m_state))};
}

ServiceReply SessionService::metrics()
{
    const std::lock_guard lock(m_mutex);
    if (const auto read = refresh(); !read)
        return failure(500, read.error().text());
    if (m_areMetricsOld) {
        const auto snapshot = m_reader.snapshot({});
        if (!snapshot)
            return failure(500, snapshot.error().text());
        std::ostringstream out;
        model::writePrometheus(out, **snapshot);
        m_metrics = out.str();
        m_areMetricsOld = false;
    }
    return {.type = std::string(typeOf(ReportFormat::Prometheus)), .body = m_metrics};
}

ServiceReply SessionService::status()
{
    const std::lock_guard lock(m_mutex);
    if (const auto read = refresh(); !read)
        return failure(500, read.error().text());
    const auto found = m_reader.snapshot({});
    if (!found)
        return failure(500, found.error().text());
    const model::Snapshot &snapshot = **found;
    Json alerts = Json::array();
    for (const model::AlertEvent &alert : snapshot.alerts)
        if (!alert.ended)
            alerts.push_back({{"rule", alert.rule}, {"condition", alert.condition}, {"fired_ns", alert.fired.ns}});
    return {.body = textOf(
                {{"file", snapshot.file}, {"file_bytes", snapshot.fileBytes}, {"command", model::commandText(snapshot)},
                    {"pid", model::mainPid(snapshot)}, {"state", model::stateKey(snapshot.info.state)},
                    {"start", model::dateTimeOf(snapshot, {})}, {"duration_ns", snapshot.info.duration.ns},
                    {"end_reason", snapshot.info.endReason}, {"alerts_firing", alerts}})};
}

ServiceReply SessionService::report(const std::string &view, const ServiceRequest &request)
{
    auto options = reportOptions(view, request.query);
    if (!options)
        return failure(400, options.error().text());
    const std::lock_guard lock(m_mutex);
    if (const auto read = refresh(); !read)
        return failure(500, read.error().text());
    const auto snapshot = readForReport(m_reader, *options);
    if (!snapshot)
        return failure(400, snapshot.error().text());
    std::ostringstream out;
    writeReport(out, **snapshot, *options);
    return {.type = std::string(typeOf(options->format)), .body = out.str()};
}

ServiceReply SessionService::control(const std::string &command, const ServiceRequest &request)
{
    capture::ControlRequest wish{.command = *capture::controlCommandFromName(command)};
    if (const auto read = BodyReader::read(request.body, wish); !read)
        return failure(400, read.error().text());
    const bool isScan = wish.command == capture::ControlCommand::Scan;
    if (isScan && m_isScanning.exchange(true))
        return failure(409, "A scan that was asked for here is not done yet: ask again when it is");
    const auto endsScan = [isScan](std::atomic<bool> *isScanning) {
        if (isScan)
            *isScanning = false;
    };
    const std::unique_ptr<std::atomic<bool>, decltype(endsScan)> scanning(&m_isScanning, endsScan);
    auto client = [this]() -> model::Result<ControlClient> {
        const std::lock_guard lock(m_mutex);
        if (const auto read = refresh(); !read)
            return read.error();
        return ControlClient::connect(m_reader.info());
    }();
    if (!client)
        return failure(409, client.error().text());
    const auto reply = client->request(wish);
    if (!reply)
        return failure(500, reply.error().text());
    if (!reply->error.empty())
        return failure(409, reply->error);
    return {.body = capture::encode(*reply) + '\n'};
}

} // namespace app
