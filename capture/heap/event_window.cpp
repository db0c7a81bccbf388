// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/heap/event_window.h"

#include <numeric>

namespace capture {

void EventWindow::open(std::uint64_t beginUnits, std::uint64_t lastUnits)
{
    if (m_size > kManyEvents && m_width > kLeastWidth)
        m_width /= 2;
    else if (m_size < kFewEvents && m_width < kMostWidth)
        m_width *= 2;
    m_size = 0;
    m_isOfMany = false;
    m_begin = beginUnits;
    m_last = beginUnits + std::min(m_width - 1, lastUnits - beginUnits);
}

bool EventWindow::makeRoom()
{
    if (m_size == m_entries.size() && m_size < kMostEntries) {
        m_entries.resize(std::max(m_size * 2, kFirstEntries));
        m_order.resize(m_entries.size());
        m_asAdded.resize(m_entries.size());
        std::iota(m_asAdded.begin(), m_asAdded.end(), std::uint16_t{0});
    }
    return m_size < m_entries.size();
}

const std::uint16_t *EventWindow::sort()
{
    if (!m_isOfMany)
        return m_asAdded.data();
    std::uint16_t *const order = m_order.data();
    std::uint32_t *const moments = m_moments.data();
    const Entry *const entries = m_entries.data(), *const end = entries + m_size;
    const std::uint64_t begin = m_begin, width = m_last - begin + 1;
    std::fill_n(moments, width + 1, 0);
    for (const Entry *entry = entries; entry != end; ++entry)
        ++moments[entry->units - begin + 1];
    for (std::uint64_t moment = 1; moment < width; ++moment)
        moments[moment] += moments[moment - 1];
    for (const Entry *entry = entries; entry != end; ++entry)
        order[moments[entry->units - begin]++] = static_cast<std::uint16_t>(entry - entries);
    return order;
}

} // namespace capture
