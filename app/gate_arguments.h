// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/command_options.h"
#include "app/gate/gate_limits.h"

#include <CLI/CLI.hpp>

#include <string>
#include <vector>

namespace app {

/// What was typed for `genprof gate`, as text.
struct GateWords
{
    std::string against;
    std::vector<std::string> limits;
    bool isWithoutLeaks = false;
    bool isWithoutBase = false;
    ThresholdChoice thresholds;
    std::optional<int> skipStatus;
};

/// Declares `genprof gate`; both must live as long as the parser.
CLI::App *addGate(CLI::App &app, GateOptions &options, GateWords &words);
/// Turns what was typed into `options`; `command` is what stood behind the dashes. Fails with a sentence that says what is wrong.
model::Result<void> readGate(const GateWords &words, std::vector<std::string> command, GateOptions &options);

/// Declares `genprof baseline` with its four subcommands.
CLI::App *addBaseline(CLI::App &app, BaselineOptions &options);
/// The same for the subcommand of `baseline` that was given.
model::Result<void> readBaselineCommand(
    const CLI::App &baseline, std::vector<std::string> command, BaselineOptions &options);

} // namespace app
