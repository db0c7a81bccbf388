// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/recording/recording_status.h"
#include "capture/scan/scan_parameters.h"
#include "model/base/result.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace capture {

/// What one can ask of a running recorder. One JSON object a line, e.g. `{"command":"mark","text":"warmed up"}`.
enum class ControlCommand { Stop, Pause, Resume, Mark, Mode, Status, Scan };

/// A wish to scan for lost memory (model/memory_scan.h).
struct ScanWish
{
    ScanParameters parameters;
    bool isConfirmed = false; ///< scan again after ScanParameters::confirmAfterNs, and answer then
};

struct ControlRequest
{
    ControlCommand command = ControlCommand::Status;
    std::string text;       ///< of a mark; of a mode as model::parseHeapWish() takes it
    ScanWish scan;          ///< of a scan
    std::int64_t agoNs = 0; ///< of a mark: how long ago it was, who had to be asked for its text; at most kLongestAgoNs
};

/// The answer, one JSON object a line: `{"ok":true,"status":{…}}` or `{"ok":false,"error":"…","status":{…}}`. `scan`
/// is answered when its results are in the session. After `stop` a
/// second reply follows when the session is complete.
struct ControlReply
{
    std::string error; ///< a sentence; empty: done
    RecordingStatus status;
    std::uint32_t scan = 0;  ///< id of the last scan that was asked for; 0: none was
    bool isDeferred = false; ///< not sent: the answer comes when the scan is done
};

/// Longest line that either side accepts, in bytes with the newline.
inline constexpr std::size_t kControlLineBytes = 64 * 1024;
inline constexpr std::int64_t kLongestAgoNs = 3'600'000'000'000;
/// Longest text of a mark in bytes.
inline constexpr std::size_t kMarkTextBytes = 1024;

/// How a command is called: "stop".
std::string_view controlCommandName(ControlCommand command);
std::optional<ControlCommand> controlCommandFromName(std::string_view name);

/// How a state is called in replies and reports: "recording".
std::string_view stateName(model::SessionState state);

/// One line without its newline.
std::string encode(const ControlRequest &request);
std::string encode(const ControlReply &reply);

/// Understand one line without its newline; fail with a sentence when it is no request or reply.
model::Result<ControlRequest> decodeRequest(std::string_view line);
model::Result<ControlReply> decodeReply(std::string_view line);

} // namespace capture
