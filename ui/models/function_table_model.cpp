// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/models/function_table_model.h"

#include "model/aggregate/stack_text.h"
#include "ui/text.h"

#include <utility>

namespace ui {

void FunctionTableModel::setTable(const model::FunctionTable &table, std::vector<std::string> names)
{
    beginResetModel();
    m_table = table;
    m_names = std::move(names);
    endResetModel();
}

int FunctionTableModel::rowCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : static_cast<int>(m_table.rows.size());
}

int FunctionTableModel::columnCount(const QModelIndex &parent) const { return parent.isValid() ? 0 : ColumnCount; }

QString FunctionTableModel::cellText(std::size_t position, int column) const
{
    const model::FunctionCost &row = m_table.rows[position];
    const auto unit = model::costInfo(m_table.kind).unit;
    switch (column) {
    case NameColumn:
        return text(m_names.at(position));
    case PlaceColumn:
        return row.line ? text(model::shortPlace(m_table.functions->tables()->text(row.file), row.line))
                        : text(m_table.functions->moduleName(row.function));
    case SelfColumn:
        return row.self ? costText(row.self, unit) : QString();
    case SelfShareColumn:
        return row.self ? text(model::formatShareOf(row.self, m_table.all)) : QString();
    case TotalColumn:
        return costText(row.total, unit);
    default:
        return text(model::formatShareOf(row.total, m_table.all));
    }
}

QVariant FunctionTableModel::data(const QModelIndex &index, int role) const
{
    if (!index.isValid())
        return {};
    const auto position = static_cast<std::size_t>(index.row());
    const model::FunctionCost &row = m_table.rows.at(position);
    const bool isFigure = index.column() >= SelfColumn;
    switch (role) {
    case Qt::DisplayRole:
        return cellText(position, index.column());
    case Qt::TextAlignmentRole:
        return isFigure ? QVariant(Qt::AlignRight | Qt::AlignVCenter) : QVariant();
    case SortRole:
        if (index.column() == SelfColumn || index.column() == SelfShareColumn)
            return QVariant::fromValue(qlonglong{row.self});
        return isFigure ? QVariant::fromValue(qlonglong{row.total}) : QVariant(cellText(position, index.column()));
    case ShareRole:
        if (m_table.all <= 0 || (index.column() != SelfColumn && index.column() != TotalColumn))
            return {};
        return static_cast<double>(index.column() == SelfColumn ? row.self : row.total)
            / static_cast<double>(m_table.all);
    case FullTextRole:
        return text(m_table.functions->name(row.function));
    case Qt::ToolTipRole:
        return text(m_table.functions->name(row.function)) + u'\n' + text(m_table.functions->moduleName(row.function));
    default:
        return {};
    }
}

QVariant FunctionTableModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (orientation != Qt::Horizontal)
        return {};
    if (role == Qt::TextAlignmentRole)
        return QVariant((section >= SelfColumn ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter);
    if (role != Qt::DisplayRole)
        return {};
    switch (section) {
    case NameColumn:
        return tr("Function");
    case PlaceColumn:
        return tr("Place");
    case SelfColumn:
        return tr("Self");
    case TotalColumn:
        return tr("Total");
    default:
        return tr("Share");
    }
}

} // namespace ui
