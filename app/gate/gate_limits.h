// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/base/result.h"
#include "model/gate/gate_key.h"

#include <string>
#include <string_view>

namespace app {

/// Changes limits as "KEY=VALUE" says. "allocations=+5%" and "allocations=+100" accept a growth; "peak_bytes=64MiB" is a value that must not be
/// exceeded; "peak_bytes=off" takes both away. Amounts in the units of KEY, lengths of time too; KEY also "counters", "times", "all", but
/// one quantity alone for a value. A growth of wall_ns is one of own_ns too. Fails with a sentence.
model::Result<void> readGateLimit(std::string_view text, model::GateLimits &limits);

/// Whose limits to take out of a file of thresholds.
struct ThresholdChoice
{
    std::string file; ///< empty: none
    std::string kind; ///< unit, integration or soak; empty: none
    std::string test; ///< name of the test; empty: none
};

/// Changes limits as the table of the kind says, and then as that of the test does. Fails with "FILE:LINE: …": the whole file is checked,
/// whatever is chosen.
///
///     [unit]                 # or integration, soak
///     max_allocations = 10000
///     max_peak = "1MiB"
///     no_leaks = true
///     [test."parser.large"]  # one test, over what its kind says
///     max_peak = "64MiB"
model::Result<void> readThresholds(const ThresholdChoice &choice, model::GateLimits &limits);
/// The same of a text; `origin` names it in errors.
model::Result<void> readThresholds(
    std::string_view text, const std::string &origin, const ThresholdChoice &choice, model::GateLimits &limits);

} // namespace app
