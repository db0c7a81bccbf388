// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/command_options.h"
#include "model/base/result.h"

#include <CLI/CLI.hpp>

#include <string>

namespace app {

/// Arguments of `genprof report` in the form in which they were typed.
struct ReportWords
{
    std::string view;
    std::string cost;
    std::string format;
    std::string from;
    std::string to;
    std::string limit;
};

/// Declares `report`; both references outlive the parsing.
CLI::App *addReport(CLI::App &app, ReportOptions &report, ReportWords &words);

/// Understands what was typed. Fails with a sentence that names the option.
model::Result<void> readReport(const ReportWords &words, ReportOptions &options);

} // namespace app
