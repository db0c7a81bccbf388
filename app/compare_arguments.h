// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/command_options.h"

#include <CLI/CLI.hpp>

#include <string>
#include <vector>

namespace app {

/// What was typed for `genprof compare`, as text.
struct CompareWords
{
    std::vector<std::string> files;
    std::vector<std::string> from;
    std::vector<std::string> to;
    std::vector<std::string> what;
    std::vector<std::string> per;
    std::string format;
};

/// Declares `genprof compare`; both must live as long as the parser.
CLI::App *addCompare(CLI::App &app, CompareOptions &options, CompareWords &words);

/// Turns what was typed into `options`; fails with a sentence that says what is wrong.
model::Result<void> readCompare(const CompareWords &words, CompareOptions &options);

} // namespace app
