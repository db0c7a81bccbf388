// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/snapshot.h"

#include <array>
#include <string>
#include <string_view>

namespace model {

// What every report says about a session, in one place.

/// The argument as a shell needs it written: "a b" as 'a b'.
std::string quotedForShell(const std::string &argument);

/// The command line that was recorded; of an attached process its own. Quoted for a shell where needed.
std::string commandText(const Snapshot &snapshot);
/// Its process's pid; 0 when no process was seen.
std::int32_t mainPid(const Snapshot &snapshot);
/// snake_case name of a state: "complete".
std::string_view stateKey(SessionState state);
std::string_view heapStateKey(HeapState state);
/// The same for people, in two or three words: what is recorded whole reads "sampled" or "auto" where the recording's mode is that.
std::string_view heapStateText(HeapState state, HeapMode mode);
/// "full", "sampled", "auto", "off".
std::string_view heapModeKey(HeapMode mode);
std::string_view gapKey(GapKind kind);
std::string_view markKey(MarkKind kind);
/// How a process ended: "exited with 0", "killed by signal 9"; "running" while there is no end.
std::string endText(const Process &process);
/// "complete: command ended, killed by signal 11": the state of the session, why it ended, and what the recorded command came to where that was no
/// success.
std::string endingText(const Snapshot &snapshot);
/// Pid and program of an image; 0 and empty text for an invalid id.
std::int32_t pidOf(const Snapshot &snapshot, ImageId image);
std::string programOf(const Snapshot &snapshot, ImageId image);
/// A process by the program that it ran last and its pid: "git (4711)"; "process 4711" where the program is not known.
std::string processText(const Snapshot &snapshot, ProcessId process);
/// The same of an image, by its own program; empty for an invalid id.
std::string processTextOf(const Snapshot &snapshot, ImageId image);
/// What "live at the end" means where several heaps add up to it: ", each of 11 programs at its end"; else empty.
std::string endsText(const Snapshot &snapshot);
/// Losses by kind, indexed by LossKind.
std::array<std::int64_t, kLossKindCount> lossCounts(const Snapshot &snapshot);
/// Which steps of time are kept until when: "steps of 10 min until 8:00:00, of 1 min until 20:10:00, of 10 s until 46:50:00, then every tick".
/// Empty where every tick is there.
std::string keptText(const Snapshot &snapshot);
/// The time that was asked for, where the steps that are kept made something else of it: "asked for 1:02:03 – 1:30:00, kept in steps of 10 min".
/// Empty where whole ticks were selected.
std::string askedText(const Snapshot &snapshot);
/// What was taken out of a redacted copy, as sentences; empty for any other session.
std::string redactionText(const SessionInfo &info);
/// Whether a damaged file has nothing left that a report could be about: not what was recorded, nor when, nor any moment of it.
bool isAllLost(const Snapshot &snapshot);
/// Date and clock of the recording host at a moment, ISO 8601.
std::string dateTimeOf(const Snapshot &snapshot, Timestamp when);

} // namespace model
