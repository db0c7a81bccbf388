// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/perf/activity_tracker.h"
#include "capture/perf/trace_events.h"
#include "capture/perf/trace_gate.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace capture {

/// The system calls and waits of a recording: rings, what they cost at most, and the costs made of them. Part of the CpuInstrument, which
/// sorts their records in with its own and knows processes and stacks. Capture thread only.
class ActivityTrace
{
public:
    ActivityTrace(TraceEvents events, model::TableBuilder &tables, WaitReasons::FunctionAt kernelFunctionAt);

    using Next = std::function<void(PerfRecord)>;
    /// Calls `next` with what has arrived, up to about `mostBytesPerRing` from each ring, and with as many stacks as may be read now; returns
    /// whether more is there. `nowNs` as the records'.
    bool read(std::size_t mostBytesPerRing, std::uint64_t nowNs, const Next &next);
    /// All that is in the rings, at the end of a tick.
    void readAll(std::uint64_t nowNs, const Next &next);
    const std::vector<int> &descriptors() const { return m_events.descriptors(); }
    void dropEnded() { m_events.dropEnded(); }
    ActivityTracker &tracker() { return m_tracker; }
    const std::string &note() const { return m_events.note(); }

    /// Appends the costs of the tick that ends at `nowNs`, of which all records were taken, and what was lost in it.
    void collect(std::uint64_t nowNs, model::EventBatch &batch);
    void setPaused(bool isPaused);

    std::int64_t badBytes = 0; ///< that were no records; whoever reports them sets it to 0

private:
    void take(std::span<const std::uint8_t> bytes, bool isOfStacks, const Next &next);
    bool readRings(std::vector<PerfRing> &rings, std::size_t mostBytes, const Next &next);
    enum class Rings : std::uint8_t { Drained, HaveMore };
    void applyGate(std::uint64_t nowNs, Rings rings, const Next &next);
    void setCallsEnabled(bool areEnabled);

    TraceEvents m_events;
    ActivityTracker m_tracker;
    TraceGate m_gate;       ///< of calls
    TraceGate m_switchGate; ///< of the stacks of switches
    std::uint64_t m_lostInRecords = 0, m_lost = 0, m_lostReported = 0;
    static constexpr std::uint64_t kForEver = ~std::uint64_t{0};
    /// Records of calls that began, read from the rings, whichever tick they are of: up to this time, and while a tick is read later ones.
    std::int64_t m_callsTaken = 0, m_callsTakenAfter = 0;
    std::uint64_t m_countedUntilNs = kForEver;
    /// Calls that the kernel had counted when a tick was read, and of which there was no record; the most that has been told, or passed over, of them.
    std::int64_t m_callsMissing = 0, m_missingReported = 0;
    std::int64_t m_uncountedInTick = 0; ///< of those, what was told when calls were recorded again
    bool m_isPaused = false;
    bool m_isWholeTick = true; ///< all calls of the tick were recorded, as far as is known
    bool m_isNextTickWhole = true;
    bool m_wasWhole = true; ///< the tick before
};

} // namespace capture
