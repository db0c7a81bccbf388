// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace model {

/// A process that runs on this machine, as the attach page lists it.
struct RunningProcess
{
    std::int32_t pid = 0;
    std::int32_t parentPid = 0;
    std::uint32_t userId = 0;         ///< effective
    std::string user;                 ///< its name, or the number where it has none
    std::string name;                 ///< as the kernel has it, up to 15 bytes
    std::string executable;           ///< path; empty if it may not be read
    std::string commandLine;          ///< quoted for a shell; empty for a zombie
    std::int64_t cpuMilliPercent = 0; ///< since the last refresh, of one core; at first its mean over its life
    std::int64_t rssBytes = 0;
    std::int64_t threads = 0;
    std::int64_t startWallNs = 0; ///< CLOCK_REALTIME, since 1970; to a hundredth of a second
    bool isOurs = false;          ///< same effective user as ours
};

/// Whether each word of `search` occurs in the pid, user, name, executable or command line, whatever its case (of ASCII letters).
/// An empty search matches all.
bool matchesSearch(const RunningProcess &process, std::string_view search);

} // namespace model
