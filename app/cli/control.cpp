// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/control.h"

#include "app/control_client.h"
#include "app/duration_text.h"
#include "app/exit_code.h"
#include "app/report_output.h"
#include "app/status_line.h"
#include "model/report/lost_report.h"
#include "storage/session_reader.h"

#include <fmt/format.h>

#include <cstdio>

namespace app {

namespace {

/// How long the recorder may take to name all functions and to compact the file.
constexpr std::chrono::minutes kCompletionLimit(10);

int fail(const std::string &text)
{
    fmt::print(stderr, "genprof: {}\n", text);
    return kExitFailure;
}

std::string doneText(const capture::ControlRequest &request, const capture::RecordingStatus &status)
{
    const std::string at = clockText({status.durationNs});
    switch (request.command) {
    case capture::ControlCommand::Stop:
        return fmt::format("Stopped after {}; the session is complete.\n", durationText({status.durationNs}));
    case capture::ControlCommand::Pause:
        return fmt::format("Paused at {}.\n", at);
    case capture::ControlCommand::Resume:
        return fmt::format("Resumed at {}.\n", at);
    case capture::ControlCommand::Mark:
        return fmt::format("Marked {}: {}\n", at, request.text);
    case capture::ControlCommand::Mode:
        return fmt::format("From {} on the heap is recorded so: {}\n", at, request.text);
    case capture::ControlCommand::Status:
        return statusText(status);
    case capture::ControlCommand::Scan:
        return {}; // told by the session itself
    }
    return {};
}

/// Prints what the session says of the scan that was asked for.
int printScan(const std::string &file, const storage::SealKeyPointer &key, bool asJson)
{
    auto reader = storage::SessionReader::open(file, key);
    if (!reader)
        return fail(reader.error().text());
    if (const auto polled = reader->poll(); !polled)
        return fail(polled.error().text());
    const auto snapshot = reader->snapshot({});
    if (!snapshot)
        return fail(snapshot.error().text());
    const auto written = writeOutput({}, asJson ? Reader::Program : Reader::Person, [&](std::ostream &out) {
        asJson ? model::writeLostJson(out, **snapshot) : model::writeLostText(out, **snapshot);
    });
    return written ? kExitOk : fail(written.error().text());
}

} // namespace

int runControl(const ControlOptions &options)
{
    const auto key = keyOf(options.file, options.passphrase);
    if (!key)
        return fail(key.error().text());
    model::Result<ControlClient> client = [&]() -> model::Result<ControlClient> {
        // The reader goes before the recorder is asked to stop: whoever has the file open last completes it.
        const auto reader = storage::SessionReader::open(options.file, *key);
        if (!reader)
            return reader.error();
        return ControlClient::connect(reader->info());
    }();
    if (!client)
        return fail(client.error().text());
    auto reply = client->request(options.request);
    if (reply && reply->error.empty() && options.request.command == capture::ControlCommand::Stop)
        reply = client->waitForEnd(kCompletionLimit);
    if (!reply)
        return fail(reply.error().text());
    if (reply->error.empty() && options.request.command == capture::ControlCommand::Scan)
        return printScan(options.file, *key, options.asJson);
    if (options.asJson)
        fmt::print("{}\n", capture::encode(*reply));
    else if (reply->error.empty())
        fmt::print("{}", doneText(options.request, reply->status));
    if (!reply->error.empty())
        return fail(reply->error);
    return kExitOk;
}

} // namespace app
