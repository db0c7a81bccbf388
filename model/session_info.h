// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/base/time_range.h"
#include "model/capture_config.h"

#include <optional>
#include <string>
#include <string_view>

namespace model {

/// Where a recording stands.
enum class SessionState : std::uint8_t {
    Recording = 0,
    Paused = 1,
    Stopping = 2, ///< the last batch is being written; readers close
    Complete = 3, ///< ended in order
    Unfinished
    = 4, ///< the recorder died; everything up to its last tick is here. Never stored: the reader finds it out
};

/// How the reason of a recording reads, or begins, that ended because its command had.
inline constexpr std::string_view kCommandEnded = "command ended";

/// What was taken out of a copy that was made to be given away.
struct Redaction
{
    std::int64_t texts = 0;      ///< different ones that stand-ins took the place of
    bool keepsFunctions = false; ///< names of functions and source files are the program's own
};

/// What was recorded and is not in the session, as there was no room for it.
struct Unwritten
{
    Timestamp from;              ///< nothing is there from then on
    Duration length;             ///< 0: not known, as the recorder still hopes for room, or did not come to say it
    std::int64_t heapEvents = 0; ///< allocations and frees in that time
    std::int64_t cpuSamples = 0;
    std::string reason; ///< "the disk is full"
};

/// What is said once about a recording. Times: Timestamp 0 is `startWallNs`.
struct SessionInfo
{
    CaptureConfig config;
    SessionState state = SessionState::Recording;
    std::int64_t startWallNs = 0; ///< CLOCK_REALTIME at Timestamp 0, since 1970
    std::string utcOffset;        ///< of the recording host, "+02:00"
    Duration duration;            ///< recorded so far: end of the last tick
    std::string host;             ///< node name
    std::string kernel;           ///< "Linux 6.1.0 x86_64"
    std::uint32_t cpuCount = 0;   ///< online CPUs
    std::uint32_t pageBytes = 4096;
    std::string recorderVersion;
    std::int32_t recorderPid = 0;
    std::string controlAddress; ///< of the recorder's control socket; empty once it ended
    std::string cpuEvent;       ///< "cpu-clock", "cycles", or empty when CPU is off
    std::string disk;    ///< mount point of the file system that Metric::DiskUsed is about; empty: none was found
    std::string cpuNote; ///< what was not possible for CPU sampling, as a sentence; or empty
    std::string
        cpuMissing; ///< running processes that could not be sampled although others were, as a sentence; or empty
    std::string activityNote;           ///< what was not possible for system calls and waits
    std::optional<int> exitStatus;      ///< waitpid status of the launched command
    std::string endReason;              ///< "target ended", "stopped by user", "duration reached", …
    std::optional<Unwritten> unwritten; ///< none: all is in the session
    std::optional<Redaction> redaction; ///< of a redacted copy
};

/// A recorder goes on with it.
inline bool isBeingRecorded(const SessionInfo &info)
{
    return info.state == SessionState::Recording || info.state == SessionState::Paused;
}

/// Whether heap events that found their ring full were to be dropped at once (--when-full drop).
inline bool isDropping(const SessionInfo &info) { return info.config.whenFull == WhenFull::Drop; }

} // namespace model
