// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <algorithm>
#include <cstdint>

namespace model {

/// How many of a selection's allocations are shown as temporary. A block is counted as one when it is freed, which can be in the tick after its
/// allocation's: the sums of a window, which stay as they are, can hold more of them than were allocated in it, but no share above 100 % can be
/// shown. Not for raw figures (JSON, CSV), nor for sums that are added up further.
inline std::int64_t temporariesAmong(std::int64_t allocations, std::int64_t temporaries)
{
    return std::min(temporaries, allocations);
}

} // namespace model
