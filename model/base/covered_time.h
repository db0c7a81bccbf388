// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/base/time_range.h"

#include <vector>

namespace model {

/// How long at least one of the spans lasted: a time that lies in several counts once. In any order; empty ones count nothing.
Duration coveredTime(std::vector<TimeRange> spans);

} // namespace model
