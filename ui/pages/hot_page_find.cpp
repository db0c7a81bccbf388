// SPDX-License-Identifier: GPL-3.0-or-later
// What a HotPage does with a search; the rest stands in hot_page.cpp.
#include "model/base/format_units.h"
#include "ui/models/cost_columns.h"
#include "ui/models/name_needle.h"
#include "ui/pages/hot_page.h"
#include "ui/text.h"
#include "ui/widgets/noted_tree_widget.h"

#include <QTreeWidget>

#include <utility>

namespace ui {

namespace {

constexpr int kOpenedRole = Qt::UserRole + 100; ///< of a path: the search opened it

/// Told from what only leads to it.
bool markHit(QTreeWidgetItem &row, int column, const NameNeedle &wanted)
{
    const bool isHit = !wanted.isEmpty() && wanted.matches(row.data(0, FullTextRole).toString());
    QFont bold;
    bold.setBold(true);
    row.setData(column, Qt::FontRole, isHit ? QVariant(bold) : QVariant());
    return isHit;
}

QTreeWidgetItem *firstShown(const QTreeWidget &table)
{
    for (int i = 0; i < table.topLevelItemCount(); ++i)
        if (QTreeWidgetItem *row = table.topLevelItem(i); !row->isHidden())
            return row;
    return nullptr;
}

bool isHit(const QTreeWidgetItem &row, int column) { return row.data(column, Qt::FontRole).isValid(); }

/// Of a path its heading, or else the caller that was found.
QTreeWidgetItem *firstHit(const QTreeWidget &table)
{
    QTreeWidgetItem *row = firstShown(table);
    if (row == nullptr || row->childCount() == 0 || isHit(*row, 0))
        return row;
    for (int i = 0; i < row->childCount(); ++i)
        if (isHit(*row->child(i), 0))
            return row->child(i);
    return row;
}

} // namespace

void HotPage::takeKeys()
{
    NotedTreeWidget &table = firstShown(*m_paths) != nullptr ? *m_paths : *m_functions;
    const QTreeWidgetItem *current = table.currentItem();
    QTreeWidgetItem *first = m_selection.findText().isEmpty() ? firstShown(table) : firstHit(table);
    if (first != nullptr && (current == nullptr || current->isHidden() || !m_selection.findText().isEmpty()))
        table.setCurrentItem(first, 0, QItemSelectionModel::NoUpdate); // the keys begin there
    table.setFocus(Qt::ShortcutFocusReason);
}

/// A path stays whole where any of its functions is found, and opens where that is a caller.
bool HotPage::findIn(QTreeWidgetItem &path, const NameNeedle &wanted)
{
    const bool isLast = markHit(path, 0, wanted);
    bool isOnWay = false;
    for (int i = 0; i < path.childCount(); ++i)
        isOnWay = markHit(*path.child(i), 0, wanted) || isOnWay;
    const bool opens = isOnWay && !isLast;
    if (opens && !path.isExpanded()) {
        path.setExpanded(true);
        path.setData(0, kOpenedRole, true);
    } else if (!opens && path.data(0, kOpenedRole).toBool()) {
        path.setExpanded(false);
        path.setData(0, kOpenedRole, {});
    }
    return isLast || isOnWay;
}

void HotPage::applyFind()
{
    filterRows();
    for (NotedTreeWidget *table : {m_paths, m_functions})
        if (const QTreeWidgetItem *hit = firstHit(*table); hit != nullptr && !m_selection.findText().isEmpty())
            table->scrollToItem(hit);
}

/// The table leaves out functions that cost nothing themselves, and all but the hottest: one of those may be what is searched for.
QString HotPage::missingWords(const NameNeedle &wanted) const
{
    const model::FunctionCost *best = nullptr;
    if (m_hot)
        for (const model::FunctionCost &each : m_hot->table.rows) {
            const bool isMore
                = best == nullptr || std::pair(each.self, each.total) > std::pair(best->self, best->total);
            if (isMore && wanted.matches(text(m_hot->table.functions->name(each.function))))
                best = &each;
        }
    const QString none = tr("No function here matches “%1”.").arg(wanted.name());
    if (best == nullptr)
        return none;
    return none + u'\n'
        + tr("%1 has %2 of its own, and %3 with what it calls.")
              .arg(text(model::shortFunctionName(m_hot->table.functions->name(best->function))),
                  text(model::formatShareOf(best->self, m_hot->table.all)),
                  text(model::formatShareOf(best->total, m_hot->table.all)));
}

void HotPage::filterRows()
{
    constexpr int kNameOfFunction = 1;
    const NameNeedle wanted(m_selection.findText());
    for (int i = 0; i < m_paths->topLevelItemCount(); ++i) {
        QTreeWidgetItem &path = *m_paths->topLevelItem(i);
        path.setHidden(!findIn(path, wanted) && !wanted.isEmpty());
    }
    for (int i = 0; i < m_functions->topLevelItemCount(); ++i) {
        QTreeWidgetItem &function = *m_functions->topLevelItem(i);
        function.setHidden(!markHit(function, kNameOfFunction, wanted) && !wanted.isEmpty());
    }
    const auto isMissed = [&wanted](const QTreeWidget &table) { return !wanted.isEmpty() && !firstShown(table); };
    m_paths->setNote(
        isMissed(*m_paths) ? tr("No function on these paths matches “%1”.").arg(wanted.name()) : QString());
    m_functions->setNote(isMissed(*m_functions) ? missingWords(wanted) : QString());
    Q_EMIT subtitleChanged();
}

} // namespace ui
