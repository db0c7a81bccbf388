// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/file_descriptor.h"
#include "capture/recording/control_protocol.h"
#include "model/base/result.h"
#include "model/session_info.h"

#include <chrono>
#include <string>

namespace app {

/// Talks to the recorder of a running recording, through the socket whose address its session holds. Blocks up to the time
/// limits given, so a window calls it from a job. One thread at a time.
class ControlClient
{
public:
    /// Connects to the recorder of the session that `info` was read from. Fails with a sentence when the recording has ended or
    /// its recorder is gone. Refuses a socket whose owner is neither this user nor root.
    static model::Result<ControlClient> connect(const model::SessionInfo &info);

    /// Asks, and waits for the answer, as long as what is asked for may take: 10 s; a scan of tens of gigabytes, 10 minutes and the time until it is
    /// confirmed. Fails when no answer comes; a refusal is in ControlReply::error.
    model::Result<capture::ControlReply> request(const capture::ControlRequest &request);

    /// After a stop: waits until the session is complete.
    model::Result<capture::ControlReply> waitForEnd(std::chrono::milliseconds limit);

private:
    explicit ControlClient(capture::FileDescriptor fd);
    model::Result<std::string> readLine(std::chrono::milliseconds limit);

    capture::FileDescriptor m_fd;
    std::string m_received;
};

} // namespace app
