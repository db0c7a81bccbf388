// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/passphrase.h"
#include "model/session_info.h"
#include "model/soak_record.h"

#include <string>

namespace app {

/// What a session says of a test that was broken off.
struct BrokenSoak
{
    std::string file;         ///< that it was read from
    model::SoakRecord record; ///< its newest leg is that of `file`
    model::SessionInfo info;  ///< of the newest leg
    bool isSealed = false;
};

/// Reads the test in the session at `path`; where that holds none because its making was interrupted, in the newest of the earlier legs beside it.
/// Fails with a sentence when there is none, or it is being recorded right now.
model::Result<BrokenSoak> readBrokenSoak(const std::string &path, const PassphraseSource &passphrase);

/// Moves what stands at `path` (with its log) out of the way, to the name of an earlier leg ("x.part1.gprof-session"), and enters that name into the
/// legs of `soak`. Can be interrupted anywhere, and repeated.
model::Result<void> moveAside(const std::string &path, BrokenSoak &soak);

} // namespace app
