// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/models/name_needle.h"

#include "model/aggregate/function_index.h"
#include "ui/text.h"

namespace ui {

NameNeedle::NameNeedle(const QString &search)
    : m_name(search)
    , m_isExact(search.size() > 2 && search.startsWith(u'"') && search.endsWith(u'"'))
{
    if (m_isExact)
        m_name = search.mid(1, search.size() - 2);
}

bool NameNeedle::matches(const QString &wholeName) const
{
    if (!m_isExact)
        return wholeName.contains(m_name, Qt::CaseInsensitive);
    if (!wholeName.contains(m_name))
        return false;
    return wholeName == m_name || text(model::shortFunctionName(wholeName.toStdString())) == m_name;
}

} // namespace ui
