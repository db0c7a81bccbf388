// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/command_options.h"
#include "model/base/result.h"

#include <CLI/CLI.hpp>

#include <string>
#include <vector>

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

/// "genprof report --what forecast FILE" for who typed "genprof report forecast FILE", `extra` being what CLI11 did not expect. Empty: nothing of the
/// kind, or a session is called so.
std::string meantReport(const ReportOptions &report, const ReportWords &words, const std::vector<std::string> &extra);

/// Understands what was typed. Fails with a sentence that names the option.
model::Result<void> readReport(const ReportWords &words, ReportOptions &options);

} // namespace app
