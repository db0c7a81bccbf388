// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace capture {

/// Bounds what tracing costs. Of each window of some milliseconds so many records of calls are taken; what comes after that is not recorded until
/// the next one begins, or a later one where too many had come: a part of the time is left out, the same for all threads and calls. A call takes
/// its thread some 1.5 µs longer while it is recorded, so that the bound is a quarter of a core. Stacks are read at a bounded speed: the kernel
/// copies none that finds no room, and is not asked for more in this window once so many calls have come.
/// Capture thread only.
class TraceGate
{
public:
    static constexpr std::uint64_t kLeastWindowNs = 20'000'000, kMostWindowNs = 100'000'000;
    static constexpr std::uint64_t kMostCallsPerSecond = 150'000; ///< a call has two records
    static constexpr std::uint64_t kMostWithStacksPerSecond = 20'000;
    static constexpr std::size_t kStackBytesPerSecond = std::size_t{24} << 20;

    /// How long it took to turn the records of calls on or off, which is done twice a window: windows are as short as that allows.
    void switchingTook(std::uint64_t ns)
    {
        constexpr std::uint64_t kTimesAsLong = 200;
        m_windowNs = std::clamp(kTimesAsLong * ns, kLeastWindowNs, kMostWindowNs);
    }
    void countCall() { ++m_callRecords; }
    void countStackBytes(std::size_t bytes) { m_stackBytes -= std::min(m_stackBytes, bytes); }

    /// Whether calls are to be recorded now, `nowNs` by any clock that does not go back.
    bool areCallsWanted(std::uint64_t nowNs)
    {
        if (const std::uint64_t passedNs = nowNs - m_windowBeginNs; passedNs >= m_windowNs) {
            const std::uint64_t paidNs = std::min<std::uint64_t>(passedNs, 1'000'000'000);
            m_callRecords -= std::min(m_callRecords, recordsIn(paidNs, kMostCallsPerSecond));
            m_windowBeginNs = nowNs;
        }
        return m_callRecords < recordsIn(m_windowNs, kMostCallsPerSecond);
    }
    /// Whether stacks of calls are, after that.
    bool areStacksWanted() const { return m_callRecords < recordsIn(m_windowNs, kMostWithStacksPerSecond); }
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
    static std::uint64_t recordsIn(std::uint64_t ns, std::uint64_t callsPerSecond)
    {
        return 2 * callsPerSecond * ns / 1'000'000'000;
    }
    std::uint64_t m_windowNs = kLeastWindowNs;
    std::uint64_t m_windowBeginNs = 0, m_lastNs = 0;
    std::uint64_t m_callRecords = 0;
    std::size_t m_stackBytes = 0;
};

} // namespace capture
