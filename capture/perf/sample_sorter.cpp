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
    // Records are large: what is sorted is where they stand.
    m_order.clear();
    for (const PerfRecord &record : m_pending)
        m_order.emplace_back(record.timeNs, static_cast<std::uint32_t>(m_order.size()));
    std::sort(m_order.begin(), m_order.end());
    std::size_t count = 0;
    for (; count < m_order.size() && m_order[count].first < beforeNs; ++count) {
        PerfRecord &record = m_pending[m_order[count].second];
        m_bytes -= bytesOf(record);
        take(record);
    }
    if (count == 0)
        return;
    m_releasedNs = std::max(m_releasedNs, m_order[count - 1].first);
    std::vector<PerfRecord> rest;
    rest.reserve(m_order.size() - count);
    for (std::size_t i = count; i < m_order.size(); ++i)
        rest.push_back(std::move(m_pending[m_order[i].second]));
    m_pending = std::move(rest);
}

std::uint64_t SampleSorter::takeLateCount() { return std::exchange(m_lateCount, 0); }

} // namespace capture
