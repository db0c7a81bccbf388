// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/base/units.h"

#include <cstddef>
#include <cstdint>

namespace capture {

/// When a recording looks at its sources and when it writes. Ticks follow each other at the tick's length, so that one late tick
/// does not move the others. Within the first tick there are a few early looks, whose readings are merged into that tick: a program that
/// ends before its first tick has metrics all the same. A pure value; times are handed in.
class TickSchedule
{
public:
    /// The first tick ends at `begin` + `tick`.
    TickSchedule(model::Timestamp begin, model::Duration tick);

    /// The next moment at which something is due.
    model::Timestamp next() const;

    /// Whether what is due next is an early look, which is collected and not written.
    bool nextIsLook() const;

    /// Whether a tick is due at `now`, and not just an early look.
    bool tickIsDue(model::Timestamp now) const { return now >= m_nextTick; }

    /// Goes past everything due at `now`; returns how many whole ticks were missed, 0 when in time.
    std::int64_t advance(model::Timestamp now);

private:
    model::Timestamp m_begin;
    model::Duration m_tick;
    model::Timestamp m_nextTick;
    std::size_t m_nextLook = 0;
};

} // namespace capture
