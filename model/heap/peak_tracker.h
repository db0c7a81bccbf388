// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/base/wrapping_sum.h"

#include <cstdint>

namespace model {

/// Bytes and blocks of a heap, or of one stack's part of it.
struct HeapLevel
{
    std::int64_t bytes = 0;
    std::int64_t blocks = 0;

    friend constexpr bool operator==(HeapLevel, HeapLevel) = default;
};

/// What one stack holds now, and what it held when the whole heap was highest. Part of PeakTracker, see there.
struct PeakShare
{
    HeapLevel live;
    HeapLevel
        atPeak; ///< valid for the peak number `peak`; if a later peak came since, `live` did not change in between
    std::uint64_t peak = 0;
};

/// Finds the highest moment of a heap and what it consisted of, exactly and in constant time per event: a share
/// notes its old level only when it first changes after a peak. The highest moment is the first of equal ones.
class PeakTracker
{
public:
    /// `share` changes by `bytes` and `blocks` at `timeNs`.
    void change(PeakShare &share, std::int64_t bytes, std::int64_t blocks, std::int64_t timeNs)
    {
        if (share.peak != m_peak) {
            share.atPeak = share.live;
            share.peak = m_peak;
        }
        addWrapping(share.live.bytes, bytes);
        share.live.blocks += blocks;
        addWrapping(m_live.bytes, bytes);
        m_live.blocks += blocks;
        if (m_live.bytes > m_highest.bytes) {
            m_highest = m_live;
            m_highestTimeNs = timeNs;
            ++m_peak;
        }
    }

    /// `share` is found to be other than it was thought to be: no moment of its own, so no new highest one before the next change.
    void adjust(PeakShare &share, std::int64_t bytes, std::int64_t blocks)
    {
        if (share.peak != m_peak) {
            share.atPeak = share.live;
            share.peak = m_peak;
        }
        addWrapping(share.live.bytes, bytes);
        share.live.blocks += blocks;
        addWrapping(m_live.bytes, bytes);
        m_live.blocks += blocks;
    }

    HeapLevel live() const { return m_live; }
    HeapLevel highest() const { return m_highest; }
    std::int64_t highestTimeNs() const { return m_highestTimeNs; }
    /// Rises with each new highest moment; 0 before the first.
    std::uint64_t peak() const { return m_peak; }
    /// What `share` held at the highest moment.
    HeapLevel atPeak(const PeakShare &share) const { return share.peak == m_peak ? share.atPeak : share.live; }

private:
    HeapLevel m_live;
    HeapLevel m_highest;
    std::int64_t m_highestTimeNs = 0;
    std::uint64_t m_peak = 0;
};

} // namespace model
