// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/base/wrapping_sum.h"
#include "model/heap/heap_counts.h"

#include <algorithm>
#include <cstdint>

namespace model {

/// What one stack held when the whole heap was highest. Part of PeakTracker, see there.
struct PeakShare
{
    HeapLevel
        atPeak; ///< valid for the peak number `peak`; if that is not the last one, what it holds now is what it held
    std::uint64_t peak = 0;
};

/// Finds the highest moment of a heap and what it consisted of, exactly and in constant time per event: a share notes what it holds only
/// when it first changes after a peak. The highest moment is the first of equal ones.
///
/// A change is told in three steps: beforeRise() or beforeFall(); note(), if the share has not been noted for number(); rise() or fall().
/// As long as the heap only grows beyond its peak nothing need be noted: the number changes when it falls from there.
class PeakTracker
{
public:
    void beforeRise(std::int64_t bytes)
    {
        if (bytes == 0) [[unlikely]]
            leave();
    }
    void beforeFall()
    {
        if (m_isHighest) [[unlikely]]
            leave();
    }

    /// Rises whenever shares must be noted anew; above 0.
    std::uint64_t number() const { return m_number; }
    /// `share` is about to change; it holds `live`.
    void note(PeakShare &share, HeapLevel live) const
    {
        if (share.peak != m_number)
            share = {live, m_number};
    }

    void rise(std::int64_t bytes, std::int64_t blocks, std::int64_t timeUs) { change(bytes, blocks, timeUs); }
    void fall(std::int64_t bytes, std::int64_t blocks, std::int64_t timeUs)
    {
        change(static_cast<std::int64_t>(0 - static_cast<std::uint64_t>(bytes)), -blocks, timeUs);
    }

    /// Instead of rise(), after beforeFall(): the heap is found to be other than it was thought to be. That is no moment of its own, so
    /// there is no new highest one, nor is the next change one for what was found: the bar rises with it. endAdjusting() after the last.
    void adjust(std::int64_t bytes, std::int64_t blocks)
    {
        addWrapping(m_live.bytes, bytes);
        m_live.blocks += blocks;
        addWrapping(m_toBeat, bytes);
    }
    void endAdjusting() { m_toBeat = std::max(m_toBeat, m_highest.bytes); }

    HeapLevel live() const { return m_live; }
    HeapLevel highest() const { return m_highest; }
    std::int64_t highestTimeUs() const { return m_highestTimeUs; }
    /// What `share`, which holds `live` now, held at the highest moment.
    HeapLevel atPeak(const PeakShare &share, HeapLevel live) const
    {
        return m_isHighest || share.peak != m_number ? live : share.atPeak;
    }

private:
    void change(std::int64_t bytes, std::int64_t blocks, std::int64_t timeUs)
    {
        addWrapping(m_live.bytes, bytes);
        m_live.blocks += blocks;
        if (m_live.bytes > m_toBeat) {
            m_highest = m_live;
            m_toBeat = m_live.bytes;
            m_highestTimeUs = timeUs;
            m_isHighest = true;
        } else if (m_isHighest) [[unlikely]] {
            leave(); // a sum that did not fit
        }
    }
    void leave()
    {
        m_number += m_isHighest ? 1 : 0;
        m_isHighest = false;
    }

    HeapLevel m_live;
    HeapLevel m_highest;
    std::int64_t m_toBeat = 0; ///< bytes of m_highest, and what adjust() has found since
    std::int64_t m_highestTimeUs = 0;
    std::uint64_t m_number = 1;
    bool m_isHighest = true; ///< now is the highest moment
};

} // namespace model
