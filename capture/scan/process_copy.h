// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/scan/scan_regions.h"
#include "capture/scan/word_reader.h"
#include "model/base/result.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

namespace capture {

/// What was taken of a process while it stood still: every word that may be a pointer to a block.
struct ProcessCopy
{
    std::int32_t pid = 0;
    std::vector<StoppedThread> threads;
    std::vector<MemoryMapping> mappings;
    std::vector<ScanRegion> regions;
    std::unique_ptr<WordBuffer> words;
    std::int64_t missedThreads = 0;
    std::int64_t scannedBytes = 0;
    std::int64_t unreadableBytes = 0;
    std::int64_t stoppedAtNs = 0; ///< CLOCK_MONOTONIC
};

/// What a copy needs to know beforehand.
struct CopyRequest
{
    std::int32_t pid = 0;
    KnownMemory known;
    const SegmentFilter &filter;
    std::unique_ptr<WordBuffer> words; ///< with the room that is to be expected
    bool mayMissThreads = false;       ///< go on although a thread did not stop in time
    /// Called before the stop: what onStopped() works on, so that the process does not stand still while somebody waits for it. Let go of
    /// after onStopped(), before memory is read.
    std::function<std::unique_lock<std::mutex>()> hold;
    /// Called once all threads stand, before memory is read. False: this is no good moment; the process runs on at once.
    std::function<bool()> onStopped;
    // Results, of a copy that failed too.
    std::int64_t interruptedCalls = 0; ///< waiting calls that the stop made fail with EINTR
    std::int64_t stopNs = 0;           ///< how long the process stood still
};

/// Stops a process, copies, and lets it run on. Waits for that; the work is done on a thread of its own, since the thread that traces
/// another one must end for the kernel to let go of it in every case. On failure `request.words` stays usable. Where it was
/// no good moment the error is empty.
model::Result<ProcessCopy> copyProcess(CopyRequest &request);

} // namespace capture
