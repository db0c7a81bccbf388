// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/base/format_units.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace model {

/// "1 block", "2,000 blocks": a count with what is counted; `one` of it, whose plural ends in an s.
inline std::string formatCounted(std::int64_t count, std::string_view one)
{
    return formatCount(count) + ' ' + std::string(one) + (count == 1 ? "" : "s");
}

} // namespace model
