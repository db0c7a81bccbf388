// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/recording/tick_schedule.h"

#include <array>

namespace capture {

namespace {

/// Since the begin.
constexpr std::array<model::Duration, 3> kLooks{{{20'000'000}, {100'000'000}, {300'000'000}}};

} // namespace

TickSchedule::TickSchedule(model::Timestamp begin, model::Duration tick)
    : m_begin(begin)
    , m_tick(tick)
    , m_nextTick(begin + tick)
{
}

bool TickSchedule::nextIsLook() const
{
    return m_nextTick == m_begin + m_tick && m_nextLook < kLooks.size() && kLooks.at(m_nextLook) < m_tick;
}

model::Timestamp TickSchedule::next() const { return nextIsLook() ? m_begin + kLooks.at(m_nextLook) : m_nextTick; }

std::int64_t TickSchedule::advance(model::Timestamp now)
{
    while (nextIsLook() && m_begin + kLooks.at(m_nextLook) <= now)
        ++m_nextLook;
    if (now < m_nextTick)
        return 0;
    const std::int64_t missed = (now.ns - m_nextTick.ns) / m_tick.ns;
    m_nextTick.ns += (missed + 1) * m_tick.ns;
    return missed;
}

} // namespace capture
