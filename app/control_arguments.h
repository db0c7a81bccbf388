// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/command_options.h"
#include "model/base/result.h"

#include <CLI/CLI.hpp>

#include <string>
#include <vector>

namespace app {

/// Arguments of `genprof ctl` in the form in which they were typed.
struct ControlWords
{
    std::string command;
    std::string minAge;
    std::string confirmAfter;
    std::vector<std::string> text;
};

/// Declares `ctl`; both references outlive the parsing.
CLI::App *addControl(CLI::App &app, ControlOptions &control, ControlWords &words);

/// Understands what was typed. Fails with a sentence.
model::Result<void> readControl(const ControlWords &words, ControlOptions &control);

} // namespace app
