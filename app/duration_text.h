// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/base/result.h"
#include "model/base/units.h"

#include <string>
#include <string_view>

namespace app {

/// Understands a length of time as people write it: "90s", "10m", "1h30m", "250ms", "1.5h", "2d"; a bare number counts in
/// `bareUnitNs`. Fails with a sentence when it is no length of time or longer than 100 years.
model::Result<model::Duration> parseDuration(std::string_view text, std::int64_t bareUnitNs);

/// The same the other way, for messages: "250 ms", "12.3 s", "2 min 5 s", "1 h 2 min".
std::string durationText(model::Duration duration);

/// As a clock: "00:01:05", from 24 hours on "1d 02:03:04".
std::string clockText(model::Duration duration);

} // namespace app
