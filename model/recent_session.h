// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/base/units.h"

#include <cstdint>
#include <string>
#include <vector>

namespace model {

/// A session that was recorded or opened on this machine, as the start page lists it.
struct RecentSession
{
    std::string path;              ///< absolute
    std::string command;           ///< as model::commandText() of session_entry.h has it
    std::int64_t startWallNs = 0;  ///< CLOCK_REALTIME when recording began, since 1970
    Duration duration;             ///< recorded so far, when last seen
    std::int64_t usedWallNs = 0;   ///< CLOCK_REALTIME when it was last recorded or opened
    std::int64_t fileBytes = 0;    ///< size now; 0 when it is gone
    std::vector<std::string> tags; ///< as the session has them; empty where it was not looked into
    std::string note;
    bool isThere = false; ///< whether the file exists now
};

} // namespace model
