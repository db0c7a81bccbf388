// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/columns_that_fit.h"

#include <QEvent>
#include <QHeaderView>
#include <QTableView>
#include <QTreeView>

#include <utility>

namespace ui {

ColumnsThatFit::ColumnsThatFit(QTreeView &view, int nameColumn, int leastNamePx, std::vector<int> givingWay)
    : ColumnsThatFit(view, *view.header(), nameColumn, leastNamePx, std::move(givingWay))
{
}

ColumnsThatFit::ColumnsThatFit(QTableView &view, int nameColumn, int leastNamePx, std::vector<int> givingWay)
    : ColumnsThatFit(view, *view.horizontalHeader(), nameColumn, leastNamePx, std::move(givingWay))
{
}

ColumnsThatFit::ColumnsThatFit(
    QAbstractItemView &view, QHeaderView &header, int nameColumn, int leastNamePx, std::vector<int> givingWay)
    : QObject(&view)
    , m_view(view)
    , m_header(header)
    , m_viewport(view.viewport())
    , m_nameColumn(nameColumn)
    , m_leastNamePx(leastNamePx)
    , m_givingWay(std::move(givingWay))
{
    m_viewport->installEventFilter(this);
}

void ColumnsThatFit::setWanted(int column, bool isWanted)
{
    if (isWanted)
        m_unwanted.remove(column);
    else
        m_unwanted.insert(column);
    fit();
}

QStringList ColumnsThatFit::hiddenTitles() const
{
    QStringList titles;
    for (int column = 0; column < m_header.count(); ++column)
        if (m_noRoom.contains(column))
            titles << m_view.model()->headerData(column, Qt::Horizontal).toString();
    return titles;
}

bool ColumnsThatFit::eventFilter(QObject *watched, QEvent *event)
{
    // While the view is destroyed its viewport still has events, and the view is no view any more.
    if (watched == m_viewport && (event->type() == QEvent::Resize || event->type() == QEvent::Show))
        fit();
    return QObject::eventFilter(watched, event);
}

/// A hidden section has no width: what it had is kept here.
int ColumnsThatFit::widthOf(int column) const
{
    return m_header.isSectionHidden(column) ? m_widths.value(column) : m_header.sectionSize(column);
}

void ColumnsThatFit::fit()
{
    const int count = m_header.count();
    int needed = m_leastNamePx;
    for (int column = 0; column < count; ++column) {
        if (!m_header.isSectionHidden(column))
            m_widths[column] = m_header.sectionSize(column);
        if (column != m_nameColumn && !m_unwanted.contains(column))
            needed += widthOf(column);
    }
    m_noRoom.clear();
    for (const int column : m_givingWay) {
        if (!m_view.isVisible()) // its width is not known yet
            break;
        if (needed <= m_view.viewport()->width())
            break;
        if (m_unwanted.contains(column))
            continue;
        needed -= widthOf(column);
        m_noRoom.insert(column);
    }
    for (int column = 0; column < count; ++column)
        m_header.setSectionHidden(column, m_unwanted.contains(column) || m_noRoom.contains(column));
    const QStringList titles = hiddenTitles();
    m_header.setToolTip(
        titles.isEmpty() ? QString() : tr("In a wider window also: %1").arg(titles.join(QStringLiteral(", "))));
}

} // namespace ui
