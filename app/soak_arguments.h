// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/command_options.h"
#include "model/base/result.h"

#include <CLI/CLI.hpp>

#include <string>

namespace app {

/// Arguments of `genprof soak` in the form in which they were typed.
struct SoakWords
{
    std::string length;
    std::string limit;
    std::string checkpoint;
    std::string period;
    std::string stopEarly;
    std::int32_t attachPid = 0;
};

/// Declares what only `soak` takes; the references outlive the parsing.
void addSoakOptions(CLI::App &command, SoakOptions &soak, SoakWords &words);

/// Understands what was typed, but for what `record` takes as well (soak.record). `command`: what stood behind the dashes. Fails with a sentence.
model::Result<void> readSoak(const SoakWords &words, std::vector<std::string> command, SoakOptions &soak);

/// Sets ticks and buckets of ages to what suits a test of this length.
void paceRecording(model::Duration length, model::CaptureConfig &config);

} // namespace app
