// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/base/format_units.h"

#include <cstdint>
#include <string>

namespace model {

/// A count of which a part is only estimated: "~447,000", to three digits where that is more than a hundredth; "447,363" where nothing is.
inline std::string formatEstimate(std::int64_t count, std::int64_t estimated)
{
    constexpr std::int64_t kNearlyExact = 100;
    if (estimated <= 0)
        return formatCount(count);
    std::int64_t unit = 1;
    while (estimated > count / kNearlyExact && count / unit >= 1000)
        unit *= 10;
    return '~' + formatCount((count + unit / 2) / unit * unit);
}

} // namespace model
