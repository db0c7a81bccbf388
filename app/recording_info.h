// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/session_info.h"

#include <cstdint>

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

} // namespace app
