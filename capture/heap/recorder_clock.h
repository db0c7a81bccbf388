// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/heap/clock_rate.h"
#include "capture/wire/layout.h"

#include <algorithm>
#include <cstdint>
#include <functional>

namespace capture {

/// Turns the targets' clock units into times of the recording. Reads both clocks at each sync() and takes the rate from the longest
/// span it has seen since the machine last stood still, so drift stays below a microsecond. One owning thread.
class RecorderClock
{
public:
    /// `originNs`: CLOCK_MONOTONIC at moment 0 of the recording.
    explicit RecorderClock(std::int64_t originNs);
    /// A clock of virtual time, for tests: units() is what `units` says, which each look moves on by one. A unit is 25 ns. `beforeLook` is called
    /// first at each look: what happens between the last one and this.
    explicit RecorderClock(std::uint64_t &units, std::function<void()> beforeLook = {});

    /// What the targets must use: the time stamp counter where the kernel itself trusts it.
    wire::Clock kind() const { return m_kind; }

    /// Reads both clocks anew.
    void sync();

    /// Clock units now. What the thread reads afterwards is not read before.
    std::uint64_t units() const;

    /// Nanoseconds of the recording at `units`, which must not be far from now: what is further than 31 years, a hostile target's, is
    /// taken for 31 years.
    std::int64_t toNs(std::uint64_t units) const
    {
        const auto difference = static_cast<std::int64_t>(units - m_lastUnits);
        return m_lastNs
            + static_cast<std::int64_t>(std::clamp(static_cast<double>(difference) * m_nsPerUnit, -kMostNs, kMostNs));
    }

    /// The same in microseconds, of which even 2^63 units are not too many.
    std::int64_t toUs(std::uint64_t units) const
    {
        const auto difference = static_cast<std::int64_t>(units - m_lastUnits);
        return m_lastUs + static_cast<std::int64_t>(static_cast<double>(difference) * m_usPerUnit);
    }

    /// How many clock units pass in so many nanoseconds.
    std::uint64_t unitsIn(std::int64_t ns) const
    {
        return static_cast<std::uint64_t>(static_cast<double>(ns) / m_nsPerUnit);
    }

    /// How long so many clock units are, in nanoseconds.
    double spanNs(double units) const { return units * m_nsPerUnit; }

private:
    static constexpr double kMostNs = 1e18;

    ClockReading read() const;

    std::uint64_t *m_virtual = nullptr;
    std::function<void()> m_beforeLook;
    wire::Clock m_kind;
    std::int64_t m_originNs;
    ClockRate m_rate;
    std::uint64_t m_lastUnits = 0;
    std::int64_t m_lastNs = 0;
    double m_nsPerUnit = 0;
    std::int64_t m_lastUs = 0;
    double m_usPerUnit = 0;
};

} // namespace capture
