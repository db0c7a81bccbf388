// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/snapshot.h"

#include <string>
#include <vector>

namespace model {

/// Files whose functions have no names in a session, for one reason, where that concerns much of what was recorded.
struct UnnamedCode
{
    std::string
        what; ///< "Functions of git and libssl.so.3 have no names (61.0 % of the CPU time, 12.0 % of the allocations)"
    std::string remedy; ///< what to do so that the next recording has them
};

/// What code without names costs, as the tables show it: a sample counts by its leaf, an allocation by its callerLine(). One item a reason, the
/// costliest first; reasons below 5 % of the CPU time and of the allocations are left out. Generated code and the kernel are not meant.
std::vector<UnnamedCode> unnamedCode(const Snapshot &snapshot);

} // namespace model
