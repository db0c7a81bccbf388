// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/check_options.h"
#include "app/gate/command_runs.h"
#include "model/gate/baseline.h"
#include "model/report/gate_report.h"

#include <map>
#include <memory>
#include <optional>

namespace app {

/// The samples of one version, by quantity, and its sessions.
struct VersionRuns
{
    std::map<model::GateKey, std::vector<double>> values;
    std::map<model::GateKey, std::string> absent; ///< why there are none
    std::string beside;                           ///< see HeapGap
    std::shared_ptr<const model::Snapshot> heap;  ///< of the last recorded run; null: none
    bool looksForLeaks = false;
    std::string leakLimits; ///< why more may be lost than was found; may be empty
};

/// Measures a version by itself, for a baseline: `recorded` runs with the heap recorded, then `plain` ones. One thread.
model::Result<VersionRuns> measureVersion(CommandRuns &runs, const std::vector<std::string> &command,
    const std::string &name, std::size_t recorded, std::size_t plain);

/// Runs both versions next to each other and judges. The order: base, current, base, current recorded; where that shows a counter that differs
/// between runs of one version, 4 more of each; then pairs in the order ABBA, a first half, and the second where the first cannot tell; at
/// last, for times that grew, a run of each with CPU samples. Never fails: what went wrong stands in the report.
model::GateReport gateAgainstCommand(CommandRuns &runs, const GateOptions &options);

/// Runs the current version and judges it by a baseline: counts by what is stored, times only where the user gave them a limit and the
/// machine is of the same class. `measured` gets what would be the new baseline's values.
model::GateReport gateAgainstBaseline(CommandRuns &runs, const GateOptions &options, const model::Baseline &baseline,
    const std::string &machine, VersionRuns &measured);

/// Runs the command once with its heap recorded, as it is: with the standard streams that we have, and judges it by the values that it must not
/// exceed. Limits of counters need another, plain run; limits of times five.
model::GateReport gateByLimits(CommandRuns &runs, const GateOptions &options);

} // namespace app
