// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/models/function_difference_model.h"

#include "model/aggregate/stack_text.h"
#include "model/report/difference_words.h"
#include "model/report/distinct_names.h"
#include "ui/text.h"

#include <algorithm>
#include <cmath>

namespace ui {

void FunctionDifferenceModel::setCost(
    std::shared_ptr<const model::ComparedSessions> compared, std::size_t cost, CostPart part)
{
    beginResetModel();
    m_compared = std::move(compared);
    m_cost = cost;
    m_part = part;
    m_most = 0;
    std::vector<model::NamedRow> rows;
    if (m_compared)
        for (const model::FunctionDifference &row : comparison().functions) {
            m_most = std::max(m_most, std::abs(differenceOf(row).change()));
            rows.push_back({comparison().indexes[model::sideIndex(row.side)]->name(row.shown), placeOf(row)});
        }
    m_names = model::distinctNames(rows);
    endResetModel();
}

std::string FunctionDifferenceModel::placeOf(const model::FunctionDifference &row) const
{
    std::string place = model::shortPlace(row.file, row.line);
    return place.empty() ? std::string(comparison().indexes[model::sideIndex(row.side)]->moduleName(row.shown)) : place;
}

int FunctionDifferenceModel::rowCount(const QModelIndex &parent) const
{
    return parent.isValid() || !m_compared ? 0 : static_cast<int>(comparison().functions.size());
}

int FunctionDifferenceModel::columnCount(const QModelIndex &parent) const { return parent.isValid() ? 0 : ColumnCount; }

const model::Difference &FunctionDifferenceModel::differenceOf(const model::FunctionDifference &row) const
{
    return m_part == CostPart::Self ? row.self : row.total;
}

QVariant FunctionDifferenceModel::nameData(std::size_t position, int role) const
{
    const model::FunctionDifference &row = comparison().functions[position];
    const model::FunctionIndex &index = *comparison().indexes[model::sideIndex(row.side)];
    switch (role) {
    case Qt::DisplayRole:
        return text(m_names[position] + model::severalFunctionsText(row))
            + (!row.isInA        ? tr("   only after")
                    : !row.isInB ? tr("   only before")
                                 : QString());
    case SortRole:
    case FullTextRole:
        return text(index.name(row.shown));
    case Qt::ToolTipRole:
        return text(index.name(row.shown)) + u'\n' + text(index.modulePath(row.shown));
    default:
        return {};
    }
}

QVariant FunctionDifferenceModel::data(const QModelIndex &index, int role) const
{
    if (!index.isValid() || index.row() >= rowCount())
        return {};
    const model::FunctionDifference &row = comparison().functions[static_cast<std::size_t>(index.row())];
    if (role == SignificantRole)
        return differenceOf(row).isSignificant;
    if (index.column() == NameColumn)
        return nameData(static_cast<std::size_t>(index.row()), role);
    if (index.column() == PlaceColumn) {
        if (role == Qt::ToolTipRole)
            return text(row.file);
        return role == Qt::DisplayRole || role == SortRole ? QVariant(text(placeOf(row))) : QVariant();
    }
    const model::CostKind kind = comparison().kind;
    return differenceData(differenceOf(row), model::costInfo(kind).unit, comparison().certainty,
        static_cast<DifferenceColumn>(index.column() - FirstColumn), m_most, role);
}

QVariant FunctionDifferenceModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (orientation != Qt::Horizontal || section < 0 || section >= ColumnCount)
        return {};
    if (section >= FirstColumn)
        return differenceHeader(static_cast<DifferenceColumn>(section - FirstColumn), role);
    if (role == Qt::TextAlignmentRole)
        return QVariant(Qt::AlignLeft | Qt::AlignVCenter);
    return role == Qt::DisplayRole ? QVariant(section == NameColumn ? tr("Function") : tr("Place")) : QVariant();
}

} // namespace ui
