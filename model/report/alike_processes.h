// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/snapshot.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace model {

/// The processes that ran one program at last.
struct AlikeProcesses
{
    std::int64_t count = 0;
    std::int64_t longestNs = 0;
    std::size_t longest = 0; ///< position of that process
    std::string end;         ///< of all of them; "various"
    std::string heap;
    bool isWritten = false; ///< for who writes them
};

/// By program, where so many processes run that they do not fit and most are alike. Empty where each has its row.
std::map<std::string_view, AlikeProcesses> alikeProcesses(
    const Snapshot &snapshot, const std::vector<std::vector<ImageId>> &images, std::size_t most);

/// How long a process lived, as far as was recorded.
std::int64_t lifeNs(const Snapshot &snapshot, const Process &process);

} // namespace model
