// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/recording/gap_tracker.h"

#include <utility>

namespace capture {

void GapTracker::begin(model::GapKind kind, model::Timestamp when)
{
    auto &open = m_open.at(static_cast<std::size_t>(kind));
    if (!open)
        open = when;
}

void GapTracker::end(model::GapKind kind, model::Timestamp when)
{
    auto &open = m_open.at(static_cast<std::size_t>(kind));
    if (!open)
        return;
    add({{*open, when}, kind});
    open.reset();
}

void GapTracker::add(model::Gap gap)
{
    if (!gap.span.isEmpty())
        m_ended.push_back(gap);
}

bool GapTracker::isOpen(model::GapKind kind) const { return m_open.at(static_cast<std::size_t>(kind)).has_value(); }

void GapTracker::endAll(model::Timestamp when)
{
    for (std::size_t i = 0; i < kKindCount; ++i)
        end(static_cast<model::GapKind>(i), when);
}

std::vector<model::Gap> GapTracker::take() { return std::exchange(m_ended, {}); }

} // namespace capture
