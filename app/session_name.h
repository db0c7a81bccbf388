// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/capture_config.h"

#include <cstdint>
#include <ctime>
#include <string>

namespace app {

/// What a session of `config` is called when the user does not say: "python3-20260131-142305.gprof-session", after the program and
/// the local time. `attachedProgram`: what a process that is attached to runs, name or path; empty where that is not known ("pid-4711").
std::string defaultSessionName(
    const model::CaptureConfig &config, const std::string &attachedProgram, const std::tm &localTime);

/// The same in the current folder for now, not the name of a file that exists.
std::string freeSessionName(const model::CaptureConfig &config);

/// `name`, or with "-2", "-3", … in front of its ending if there is such a file already.
std::string withoutClash(const std::string &name);

/// A time zone's offset as it is stored: "+02:00".
std::string utcOffsetText(std::int64_t seconds);

/// Removes a session that did not come to be, with the files that SQLite keeps beside it.
void removeSession(const std::string &path);

} // namespace app
