// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/redaction/secret_patterns.h"
#include "model/session_info.h"

#include <cstdint>
#include <string>
#include <vector>

namespace app {

/// When a recording began, on both clocks.
struct RecordingStart
{
    std::int64_t monotonicNs = 0; ///< CLOCK_MONOTONIC: Timestamp 0
    std::int64_t wallNs = 0;      ///< CLOCK_REALTIME at the same moment, since 1970

    /// Now.
    static RecordingStart now();
};

/// What is said about a recording that begins on this machine with `config`.
model::SessionInfo describeRecording(const model::CaptureConfig &config, RecordingStart start);

/// What is hidden in command lines: the built-in patterns, those of the file genesis-profiler/redact in the user's configuration folder
/// (XDG_CONFIG_HOME, else ~/.config), and `more`. Fails with a sentence that names the file when a pattern is none.
model::Result<model::SecretPatterns> secretPatterns(const std::vector<std::string> &more);

} // namespace app
