// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/recording_remote.h"

#include "app/control_client.h"

namespace app {

namespace {

/// What went wrong as a sentence; empty: nothing.
std::string send(const model::SessionInfo &info, const capture::ControlRequest &request)
{
    auto client = ControlClient::connect(info);
    if (!client)
        return client.error().text();
    const auto reply = client->request(request);
    return reply ? reply->error : reply.error().text();
}

} // namespace

void RecordingRemote::stop(const model::SessionInfo &info)
{
    m_stopJob.run(
        [info](std::stop_token) {
            return send(info, {capture::ControlCommand::Stop, {}, {}});
        },
        [this](const std::string &failure) {
            if (!failure.empty())
                Q_EMIT failed(QString::fromStdString(failure));
        });
}

void RecordingRemote::mark(const model::SessionInfo &info, const QString &text, model::Duration ago)
{
    m_markJob.run(
        [info, text = text.toStdString(), ago](std::stop_token) {
            return send(info, {capture::ControlCommand::Mark, text.substr(0, capture::kMarkTextBytes), {}, ago.ns});
        },
        [this](const std::string &failure) {
            if (!failure.empty())
                Q_EMIT failed(QString::fromStdString(failure));
        });
}

void RecordingRemote::scan(const model::SessionInfo &info)
{
    m_scanJob.run(
        [info](std::stop_token) {
            return send(info, {capture::ControlCommand::Scan, {}, {}});
        },
        [this](const std::string &failure) {
            if (!failure.empty())
                Q_EMIT failed(QString::fromStdString(failure));
            Q_EMIT scanEnded();
        });
}

void RecordingRemote::stopAndWait(const model::SessionInfo &info)
{
    auto client = ControlClient::connect(info);
    if (!client)
        return; // it has ended by itself
    if (client->request({capture::ControlCommand::Stop, {}, {}}))
        (void)client->waitForEnd(std::chrono::seconds(5));
}

} // namespace app
