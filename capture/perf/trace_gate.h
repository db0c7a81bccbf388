// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace capture {

/// Bounds what tracing costs. Of each tenth of a second so many records of calls are taken; what comes after that is not recorded until the
/// next tenth begins: a part of the time is left out, the same for all threads and calls. A call takes its thread some 1.5 µs longer while it
/// is recorded, so that the bound is a quarter of a core. Stacks are read at a bounded speed: the kernel copies none that finds no room, and is
/// not asked for more in this tenth once so many calls have come.
/// Capture thread only.
class TraceGate
{
public:
    static constexpr std::uint64_t kWindowNs = 100'000'000;
    static constexpr std::uint64_t kMostCallRecords = 30'000; ///< in a window: 150,000 calls a second
    static constexpr std::uint64_t kMostWithStacks
        = 4'000; ///< call records of a window, after which stacks are not asked for
    static constexpr std::size_t kStackBytesPerSecond = std::size_t{24} << 20;

    void countCall() { ++m_callRecords; }
    void countStackBytes(std::size_t bytes) { m_stackBytes -= std::min(m_stackBytes, bytes); }

    /// Whether calls are to be recorded now, `nowNs` by any clock that does not go back.
    bool areCallsWanted(std::uint64_t nowNs)
    {
        if (nowNs - m_windowBeginNs >= kWindowNs) {
            m_windowBeginNs = nowNs;
            m_callRecords = 0;
        }
        return m_callRecords < kMostCallRecords;
    }
    /// Whether stacks of calls are, after that.
    bool areStacksWanted() const { return m_callRecords < kMostWithStacks; }
    /// How many bytes of stacks may be read now: what the time since the last call allows, and at most `most`.
    std::size_t stackBytesNow(std::uint64_t nowNs, std::size_t most)
    {
        const std::uint64_t passedNs = std::min<std::uint64_t>(nowNs - std::min(m_lastNs, nowNs), 1'000'000'000);
        m_lastNs = nowNs;
        m_stackBytes = std::min(most, m_stackBytes + kStackBytesPerSecond * passedNs / 1'000'000'000);
        return m_stackBytes;
    }

    // As was ordered last.
    bool areCallsOpen = true;
    bool areStacksOpen = true;

private:
    std::uint64_t m_windowBeginNs = 0, m_lastNs = 0;
    std::uint64_t m_callRecords = 0;
    std::size_t m_stackBytes = 0;
};

} // namespace capture
