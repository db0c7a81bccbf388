// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/perf/perf_record.h"

#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

namespace capture {

/// Puts the records of many rings in order of time.
///
/// The assumption: a record stamped t can be read from its ring by t + kSettleNs at the latest (the kernel stamps it
/// shortly before it writes it). So whoever reads all rings at time r may release what is older than r - kSettleNs.
/// A record that comes later than that all the same is released at once and counted. Capture thread only.
class SampleSorter
{
public:
    static constexpr std::uint64_t kSettleNs = 10'000'000;

    /// Records wait in memory; beyond this many bytes of stacks the older half is released early.
    explicit SampleSorter(std::size_t mostBytes)
        : m_mostBytes(mostBytes)
    {
    }

    void add(PerfRecord record);

    /// Hands over what is stamped before `beforeNs`, in order; records of the same time in the order of add().
    void release(std::uint64_t beforeNs, const std::function<void(PerfRecord &)> &take);

    bool isFull() const { return m_bytes > m_mostBytes; }
    std::size_t pendingCount() const { return m_pending.size(); }
    /// Records that came after a later one had been released, since the last call.
    std::uint64_t takeLateCount();

private:
    std::vector<PerfRecord> m_pending;
    std::vector<std::pair<std::uint64_t, std::uint32_t>> m_order; ///< time and position in m_pending
    std::size_t m_mostBytes;
    std::size_t m_bytes = 0;
    std::uint64_t m_releasedNs = 0;
    std::uint64_t m_lateCount = 0;
};

} // namespace capture
