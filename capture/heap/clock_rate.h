// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cmath>
#include <cstdint>

namespace capture {

/// Two clocks, read in the same moment.
struct ClockReading
{
    std::uint64_t units = 0; ///< of the targets' clock
    std::int64_t ns = 0;
};

/// How fast the targets' clock goes by the recording's: over the longest span in which both went on alike. CLOCK_MONOTONIC stands still
/// while the machine is suspended or its guest stopped, and the counter goes on or begins anew; a span over that says nothing of what is after.
class ClockRate
{
public:
    double nsPerUnit() const { return m_nsPerUnit; }

    /// Takes in a later reading than the last. Until the clocks have gone on for long enough after a break, the rate stays what it was.
    void add(const ClockReading &now)
    {
        const bool isBroken = m_hasFirst && hasBroken(now);
        m_breaks = isBroken ? m_breaks + 1 : 0;
        // One after the other are none: the counter goes at another speed, as of a guest that moved to another machine.
        const bool isOtherSpeed = m_breaks > 2 && now.units > m_last.units && now.ns - m_last.ns >= kSpanAfterBreakNs;
        if (isOtherSpeed)
            m_first = m_last;
        else if (!m_hasFirst || isBroken)
            m_first = now;
        if (isOtherSpeed || now.ns - m_first.ns >= (m_nsPerUnit > 0 ? kSpanAfterBreakNs : kLeastSpanNs))
            m_nsPerUnit = rateSince(m_first, now);
        m_hasFirst = true;
        m_last = now;
    }

private:
    static constexpr std::int64_t kLeastSpanNs = 1'000'000;
    static constexpr std::int64_t kSpanAfterBreakNs = 100'000'000;
    /// More than a clock is slewed by (adjtimex(2): 500 ppm), or than both are read apart in such a span.
    static constexpr double kMostDeviation = 0.002;
    static constexpr std::int64_t kMostApartNs = 200'000;

    static double rateSince(const ClockReading &from, const ClockReading &to)
    {
        return static_cast<double>(to.ns - from.ns) / static_cast<double>(to.units - from.units);
    }

    bool hasBroken(const ClockReading &now) const
    {
        if (now.units <= m_last.units)
            return now.units < m_last.units || now.ns - m_last.ns > kMostApartNs;
        if (m_nsPerUnit <= 0)
            return false;
        const double spanNs = static_cast<double>(now.ns - m_last.ns);
        const double apartNs = std::abs(spanNs - static_cast<double>(now.units - m_last.units) * m_nsPerUnit);
        return apartNs > static_cast<double>(kMostApartNs) && apartNs > spanNs * kMostDeviation;
    }

    bool m_hasFirst = false;
    ClockReading m_first, m_last;
    double m_nsPerUnit = 0;
    int m_breaks = 0; ///< in a row
};

} // namespace capture
