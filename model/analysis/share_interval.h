// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/analysis/robust_trend.h"

#include <cstdint>

namespace model {

/// Wilson's interval of a share: `hits` of `samples` independent ones; `z` 1.96 is 95 %. [0, 1] without samples.
Interval wilsonInterval(std::int64_t hits, std::int64_t samples, double z = 1.96);

} // namespace model
