// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/perf/sample_sorter.h"

#include <algorithm>
#include <utility>

namespace capture {

namespace {

std::size_t bytesOf(const PerfRecord &record)
{
    const auto *sample = std::get_if<PerfSample>(&record.content);
    if (const auto *copied = std::get_if<CopiedUserStack>(&record.content))
        sample = &copied->sample;
    return sizeof(record) + (sample ? sample->stack.capacity() : 0);
}

} // namespace

void SampleSorter::add(PerfRecord record)
{
    if (record.timeNs < m_releasedNs)
        ++m_lateCount;
    m_bytes += bytesOf(record);
    m_pending.push_back(std::move(record));
}

void SampleSorter::release(std::uint64_t beforeNs, const std::function<void(PerfRecord &)> &take)
{
    std::stable_sort(m_pending.begin(), m_pending.end(),
        [](const PerfRecord &a, const PerfRecord &b) { return a.timeNs < b.timeNs; });
    std::size_t count = 0;
    for (; count < m_pending.size() && m_pending[count].timeNs < beforeNs; ++count) {
        m_bytes -= bytesOf(m_pending[count]);
        take(m_pending[count]);
    }
    if (count > 0)
        m_releasedNs = std::max(m_releasedNs, m_pending[count - 1].timeNs);
    m_pending.erase(m_pending.begin(), m_pending.begin() + static_cast<std::ptrdiff_t>(count));
}

std::uint64_t SampleSorter::takeLateCount() { return std::exchange(m_lateCount, 0); }

} // namespace capture
