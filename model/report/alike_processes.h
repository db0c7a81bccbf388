// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/snapshot.h"

#include <cstddef>
#include <cstdint>
#include <optional>
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
};

/// What a table of processes has a row for: one process, or all of one program.
struct ProcessRow
{
    std::size_t process = 0; ///< position; of several, of the first
    std::string_view name;   ///< of its last program
    std::int64_t lifeNs = 0; ///< of several, the longest
    std::optional<AlikeProcesses> alike;
};

/// In the order of the processes that have programs (`images`: imagesByProcess()). Each has its row, unless they are more than `most`: then those of
/// a program that many ran are one, where the first of them stands.
std::vector<ProcessRow> processRows(
    const Snapshot &snapshot, const std::vector<std::vector<ImageId>> &images, std::size_t most);

/// How long a process lived, as far as was recorded.
std::int64_t lifeNs(const Snapshot &snapshot, const Process &process);

} // namespace model
