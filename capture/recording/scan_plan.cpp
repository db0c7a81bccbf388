// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/recording/scan_plan.h"

#include <algorithm>
#include <utility>

namespace capture {

void ScanPlan::begin(model::Timestamp now)
{
    if (m_every)
        m_nextScheduled = now + *m_every;
}

bool ScanPlan::ask(model::Timestamp now, const ScanWish &wish)
{
    if (m_asked && (m_asked->isConfirmation || m_asked->wish.isConfirmed))
        return false;
    m_asked = Asked{now, wish};
    return true;
}

std::optional<model::Timestamp> ScanPlan::next() const
{
    if (m_asked && m_nextScheduled)
        return std::min(m_asked->due, *m_nextScheduled);
    return m_asked ? std::optional(m_asked->due) : m_nextScheduled;
}

std::optional<ScanParameters> ScanPlan::takeDue(model::Timestamp now)
{
    std::optional<ScanParameters> due;
    if (m_nextScheduled && *m_nextScheduled <= now) {
        due = ScanParameters();
        m_nextScheduled = now + *m_every;
    }
    if (!m_asked || m_asked->due > now)
        return due;
    const ScanWish wish = m_asked->wish;
    m_asked.reset();
    if (wish.isConfirmed)
        m_asked = Asked{now + model::Duration{wish.parameters.confirmAfterNs}, {wish.parameters, false}, true, true};
    return wish.parameters;
}

void ScanPlan::begun(model::Timestamp now)
{
    if (m_asked && std::exchange(m_asked->awaitsFirst, false))
        m_asked->due = now + model::Duration{m_asked->wish.parameters.confirmAfterNs};
}

} // namespace capture
