// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/gate/gate_result.h"

#include <optional>
#include <string>

namespace model {

/// What the last looks at the memory of the processes of a session found.
struct LostBlocks
{
    std::int64_t blocks = 0;
    std::string limits; ///< why it may be more, as sentences; may be empty
};

/// The blocks that were lost in the last scan of each process, together; none where no process was scanned. Pure.
std::optional<LostBlocks> lostBlocks(const Snapshot &snapshot);

/// The stacks that allocated them, by the number of lost blocks, at most `most`. What they were before is not known: 0.
std::vector<GateStack> lostStacks(const Snapshot &snapshot, std::size_t most);

} // namespace model
