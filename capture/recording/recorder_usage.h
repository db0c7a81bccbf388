// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>

namespace capture {

/// What this process itself costs the machine.
struct RecorderUsage
{
    std::int64_t cpuNs = 0;    ///< user and system time of all its threads since it started
    std::int64_t rssBytes = 0; ///< resident now; 0 if it cannot be read
};

/// Reads the usage of the calling process. Any thread.
RecorderUsage recorderUsage();

} // namespace capture
