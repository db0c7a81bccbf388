// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/share_interval.h"

#include <algorithm>
#include <cmath>

namespace model {

Interval wilsonInterval(std::int64_t hits, std::int64_t samples, double z)
{
    if (samples <= 0)
        return {0, 1};
    const auto n = static_cast<double>(samples);
    const double share = std::clamp(static_cast<double>(hits) / n, 0.0, 1.0);
    const double z2 = z * z;
    const double middle = (share + z2 / (2 * n)) / (1 + z2 / n);
    const double half = z / (1 + z2 / n) * std::sqrt(share * (1 - share) / n + z2 / (4 * n * n));
    return {std::max(0.0, middle - half), std::min(1.0, middle + half)};
}

} // namespace model
