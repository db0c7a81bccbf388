// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/base/result.h"
#include "model/event_batch.h"
#include "model/heap_mode.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace capture {

/// A source of events of the recorder. All calls come from the capture thread, which owns it. Life: made → (descriptors polled,
/// `drain`ed, each tick `collect`ed) → destroyed. Instruments resolve processes through the shared model::ProcessTable and
/// intern through its TableBuilder.
class Instrument
{
public:
    Instrument() = default;
    Instrument(const Instrument &) = delete;
    Instrument &operator=(const Instrument &) = delete;
    virtual ~Instrument() = default;

    /// Descriptors that become readable when `drain` has work; may change between calls. An instrument whose source cannot be
    /// polled (a shared ring) returns none and is drained at `drainInterval`.
    virtual std::vector<int> descriptors() const = 0;

    /// How often to drain even if no descriptor is readable, in milliseconds; 0: only at descriptors and ticks. May change with load.
    virtual int drainIntervalMs() const = 0;

    /// Moves what has arrived into accumulators. Bounded work per call; returns whether more was left.
    virtual bool drain(model::Timestamp now) = 0;

    /// End of a tick: appends what was accumulated since the last call to `batch` and starts anew.
    virtual void collect(model::Timestamp now, model::EventBatch &batch) = 0;

    /// Once, after the last `collect` of all instruments: says what follows only from what the others have seen.
    virtual void conclude(model::EventBatch &) { }

    /// While paused, what arrives is read and not counted (heap: still paired, so that the live set stays true).
    virtual void setPaused(bool paused) = 0;

    /// Records the heap in another way from now on, or fails with the reason. Empty: it is not this one that records it.
    virtual std::optional<model::Result<void>> setHeapMode(const model::HeapWish &) { return std::nullopt; }
};

} // namespace capture
