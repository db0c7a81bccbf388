// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <string>

namespace capture {

/// How a scan for lost memory is to be done.
struct ScanParameters
{
    std::int64_t minAgeNs = 60'000'000'000; ///< younger blocks are not judged
    std::int64_t confirmAfterNs
        = 30'000'000'000; ///< how much earlier the scan must have been that confirms what is lost
    std::string noFork
        = {}; ///< why the process is not to be copied by fork, as the rest of a sentence; empty: it may be
};

} // namespace capture
