// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace capture {

/// One process of a tree.
struct TreeProcess
{
    std::int32_t pid = 0;
    std::int32_t parentPid = 0; ///< in the tree; 0: the root
};

/// `root` and all that descends from it now, each after its parent. This process and what it started are left out: a recorder may have been
/// started by what it records. One look: whoever needs all looks again until nothing is new. Empty if there is no such process.
std::vector<TreeProcess> processTree(std::int32_t root, const std::string &procRoot = "/proc");

/// A process of a tree that could not be recorded as the others are.
struct LeftOutProcess
{
    std::int32_t pid = 0;
    std::string name; ///< "worker (12)"
    std::string why;
};

/// As it is called now.
LeftOutProcess leftOutProcess(std::int32_t pid, std::string why, const std::string &procRoot = "/proc");

/// "<what> worker (12), worker (13), worker (14) and 5 more: <why the first one>"; empty where there are none.
std::string sentenceOf(const std::vector<LeftOutProcess> &processes, const std::string &what);

} // namespace capture
