// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/scan/scan_regions.h"
#include "capture/scan/stopped_process.h"
#include "capture/wire/snapshot.h"
#include "model/base/result.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

namespace capture {

/// The thread on whose stack a call can be made: it stands on a stack of its own with room below, in no signal handler that has another
/// one, and in no restartable sequence (rseq(2)), which would go on as if nothing had been. None: no thread does.
std::optional<std::int32_t> threadForSnapshot(
    const StoppedProcess &process, const std::vector<MemoryMapping> &mappings);

/// Has a stopped thread run the tracer's code at `entry`, which copies its process (wire/snapshot.h), and stops it again as it was. On the
/// thread that made `process`. `command`: what the recorder fills in but the context; then the answer. Whatever becomes of us meanwhile, the
/// thread goes on by itself, through a signal frame. On failure it may run already: `process.resume()` is next in any case.
model::Result<void> callSnapshot(StoppedProcess &process, std::int32_t tid, std::uint64_t entry,
    wire::SnapshotCommand &command, std::chrono::milliseconds limit);

} // namespace capture
