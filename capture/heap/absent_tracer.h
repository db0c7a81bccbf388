// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace capture {

/// What a tracer needs to meet the recorder.
struct MeetingPlace
{
    std::string_view tracerPath;    ///< what was preloaded
    std::string_view socketPath;    ///< of the socket in a folder; empty: there is none but the abstract one
    std::string procRoot = "/proc"; ///< for tests
};

/// Why the tracer of a process that runs cannot have met the recorder, with the way out; a sentence, empty where nothing of the kind is
/// seen.
std::string absenceOfTracer(std::int32_t pid, const MeetingPlace &place);

/// Whether the recorder cannot be reached from where it runs: in another network namespace than the recorder's, and with other files, so that
/// neither of the sockets is there. False where nobody knows.
bool isOutOfReach(std::int32_t pid, const MeetingPlace &place);

/// What becomes of a process there, with the way out; empty where it is within reach. There is no way out of a sandbox that the program makes for
/// its own processes, as browsers do: nobody else can start anything in it.
std::string outOfReach(std::int32_t pid, const MeetingPlace &place);

/// The same of one that others put there.
inline constexpr const char *kOutOfReach
    = "It runs in another network namespace with files of its own (a container), from which the recorder cannot be "
      "reached: start genprof in there.";

} // namespace capture
