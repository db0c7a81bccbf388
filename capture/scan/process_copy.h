// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/scan/process_snapshot.h"
#include "capture/scan/scan_regions.h"
#include "capture/scan/word_reader.h"
#include "model/base/result.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace capture {

/// What was taken of a process while it stood still: every word that may be a pointer to a block, or a snapshot in which they are.
struct ProcessCopy
{
    std::int32_t pid = 0;
    std::vector<StoppedThread> threads;
    std::vector<MemoryMapping> mappings;
    std::vector<ScanRegion> regions;
    std::unique_ptr<WordBuffer> words; ///< null: still to be read from the snapshot
    std::int64_t missedThreads = 0;
    std::int64_t scannedBytes = 0;
    std::int64_t unreadableBytes = 0;
    std::int64_t stoppedAtNs = 0; ///< CLOCK_MONOTONIC

    /// Words of memory that a copy by fork has not got: read while the process stood still.
    struct EarlyPart
    {
        KnownMemory::Range range;
        std::vector<model::ScanWord> words;
    };
    std::optional<ProcessSnapshot> snapshot;
    std::vector<EarlyPart> early; ///< ascending
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
    /// Where the tracer's code lies that copies the process by fork (wire/snapshot.h). 0: the words are read while it stands still.
    std::uint64_t snapshotEntry = 0;
    // Results, of a copy that failed too.
    std::int64_t interruptedCalls = 0; ///< waiting calls that the stop made fail with EINTR
    std::int64_t stopNs = 0;           ///< how long the process stood still
    std::string noSnapshot;            ///< why there is no snapshot although one was wanted: the rest of a sentence
    std::vector<std::int32_t> helpers; ///< pids that came and went with the snapshot, which are not the program's own
};

/// Stops a process, copies, and lets it run on. Waits for that; the work is done on a thread of its own, since the thread that traces
/// another one must end for the kernel to let go of it in every case. On failure `request.words` stays usable. Where it was
/// no good moment, or there is no snapshot although one was wanted, the error is empty.
model::Result<ProcessCopy> copyProcess(CopyRequest &request);

/// What reading a snapshot found out beside the words.
struct SnapshotReading
{
    std::int64_t livedNs = 0;
    std::int64_t copiedBytes = 0; ///< ProcessSnapshot::copiedBytes() at its end
};

/// Reads the words from the snapshot of a copy, and ends it. Any thread. Fails if the snapshot ended before its time, or memory is short.
model::Result<SnapshotReading> readSnapshot(
    ProcessCopy &copy, const SegmentFilter &filter, const std::stop_token &stop = {});

} // namespace capture
