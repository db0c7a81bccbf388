// SPDX-License-Identifier: MIT
#pragma once

#include "capture/wire/layout.h"

namespace capture::tracer {

/// Wakes the recorder and waits for it, for a bounded time. The recorder may be busy, stopped or dead: a target is never
/// held up for longer than the limit that the header names. Once one thread has waited for a heartbeat in vain, none waits any more, whatever
/// for, until the heart beats again.
class Doorbell
{
public:
    explicit Doorbell(wire::MemoryView memory)
        : m_header(memory.header())
    {
    }

    /// Wakes the recorder if it sleeps.
    void ring() const;

    /// Says what is wanted and waits until `isThere()`; false if the recorder does not provide it in time.
    template <typename Predicate> bool waitUntil(wire::Want want, Predicate isThere)
    {
        m_header.wanted.fetch_or(static_cast<std::uint32_t>(want), std::memory_order_seq_cst);
        ring();
        while (!isThere()) {
            if ((m_header.refused.load(std::memory_order_relaxed) & static_cast<std::uint32_t>(want)) != 0
                || !mayWaitOn())
                return isThere();
            pause();
        }
        return true;
    }

    /// Waits for room in a ring, whose futex word `space` had the value `seen` before the caller last looked.
    void waitForSpace(wire::ThreadSlot &slot, std::uint32_t seen) const;

    /// Waits until no other thread of this process asks anything, and takes the place; false if that does not come to be. endTurn() leaves it.
    bool waitForTurn();
    void endTurn() const { m_header.asking.store(0, std::memory_order_release); }
    /// Rings, and waits until the question of this number is answered; false if the recorder is gone, stops, or stands still for some seconds.
    bool waitForAnswer(std::uint32_t question);

    /// Whether waiting on makes sense: the limit is not reached and the recorder gives signs of life. Each call may
    /// look at the clock.
    bool mayWaitOn();
    /// The recorder is known to be dead, or has been silent for so long where nobody can tell: nobody will ever read again.
    bool recorderIsGone() const;

private:
    static void pause();
    bool isServed();
    bool isSilent(std::uint64_t beat) const;

    wire::Header &m_header;
    std::uint64_t m_startMs = 0;
    std::uint64_t m_lastBeat = 0;
    std::uint64_t m_lastBeatMs = 0;
};

} // namespace capture::tracer
