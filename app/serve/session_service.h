// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/serve/api_token.h"
#include "model/base/result.h"
#include "storage/session_reader.h"

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace app {

/// What a client asks, without anything of HTTP's transport.
struct ServiceRequest
{
    std::string method; ///< "GET"
    std::string path;   ///< without the query, decoded
    std::vector<std::pair<std::string, std::string>> query;
    std::string authorization; ///< value of that header; empty without one
    std::string body;
};

struct ServiceReply
{
    int status = 200;
    std::string type = "application/json";
    std::string body;
    std::map<std::string, std::string> headers; ///< beside the type
};

/// The HTTP API of one session, saved or still being recorded. All but /healthz needs the token.
///
///     GET  /healthz                     "ok", and the state of the session
///     GET  /metrics                     for Prometheus (model/report/prometheus_report.h)
///     GET  /report.html                 model/report/html_report.h
///     GET  /api/v1/status               what is recorded, its state, alerts that fire
///     GET  /api/v1/report/VIEW          the JSON of `genprof report --what VIEW`; query: cost, from, to, process, thread,
///                                       limit, top, offset (rows before the first one), format
///     POST /api/v1/mark                 {"text": "deployed"}: names this moment of a running recording
///     POST /api/v1/scan                 looks for lost memory; body may say {"min_age_ns": 0, "confirm": true, "confirm_after_ns": 1000000000}
///     POST /api/v1/pause, resume, stop  as `genprof ctl`; without a body
///
/// Failures are {"error": "a sentence"} with 400, 401, 404, 405, 409 (no recording runs, or a scan is waited for) or 500; HttpServer
/// adds 411, 413 and 503. Any thread may ask; the session is read by one at a time, and again only when it has grown.
class SessionService
{
public:
    struct Access
    {
        ApiToken token;
        bool areMetricsOpen = false; ///< /metrics without the token
    };

    /// Fails with a sentence when the session cannot be opened.
    static model::Result<std::unique_ptr<SessionService>> open(
        const std::string &file, storage::SealKeyPointer key, Access access);

    ServiceReply handle(const ServiceRequest &request);
    /// The answer to a request without the token that it needs; nothing: it may be asked. Its body does not matter.
    std::optional<ServiceReply> refusal(const ServiceRequest &request) const;
    /// {"error": sentence} with this status.
    static ServiceReply failure(int status, const std::string &sentence);

private:
    SessionService(storage::SessionReader reader, Access access);

    ServiceReply get(const ServiceRequest &request);
    ServiceReply post(const ServiceRequest &request);
    model::Result<void> refresh();
    ServiceReply health();
    ServiceReply metrics();
    ServiceReply status();
    ServiceReply report(const std::string &view, const ServiceRequest &request);
    ServiceReply control(const std::string &command, const ServiceRequest &request);

    Access m_access;
    std::atomic<model::SessionState> m_state
        = model::SessionState::Unfinished;  ///< as it was when /healthz could look last
    std::atomic<bool> m_isScanning = false; ///< a client waits for its scan, for up to an hour: one of few threads
    std::mutex m_mutex;                     ///< for what follows
    storage::SessionReader m_reader;
    std::string m_metrics;
    bool m_areMetricsOld = true; ///< the session has grown since they were made
};

} // namespace app
