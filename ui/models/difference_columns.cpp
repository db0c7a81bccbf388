// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/models/difference_columns.h"

#include "model/report/difference_words.h"
#include "ui/text.h"

#include <cmath>
#include <limits>

namespace ui {

namespace {

QString cellText(
    const model::Difference &difference, model::Unit unit, model::Certainty certainty, DifferenceColumn column)
{
    switch (column) {
    case DifferenceColumn::Before:
        return costWords(difference.a, unit);
    case DifferenceColumn::After:
        return costWords(difference.b, unit);
    case DifferenceColumn::Change:
        return changeWords(difference, unit);
    case DifferenceColumn::Relative:
        return text(model::relativeText(difference));
    case DifferenceColumn::Interval:
        return text(model::relativeIntervalText(difference, certainty));
    }
    return {};
}

double sortValue(const model::Difference &difference, DifferenceColumn column)
{
    switch (column) {
    case DifferenceColumn::Before:
        return difference.a;
    case DifferenceColumn::After:
        return difference.b;
    case DifferenceColumn::Change:
        return std::abs(difference.change());
    case DifferenceColumn::Relative:
        return difference.a == difference.b ? 0
            : difference.a == 0             ? std::numeric_limits<double>::max()
                                            : difference.b / difference.a - 1;
    case DifferenceColumn::Interval:
        return difference.ratio95.high - difference.ratio95.low;
    }
    return 0;
}

} // namespace

QString costWords(double cost, model::Unit unit) { return text(model::costText(cost, unit)); }

QString changeWords(const model::Difference &difference, model::Unit unit)
{
    return text(model::changeText(difference, unit));
}

QVariant differenceData(const model::Difference &difference, model::Unit unit, model::Certainty certainty,
    DifferenceColumn column, double most, int role)
{
    const int direction = difference.change() > 0 ? 1 : difference.change() < 0 ? -1 : 0;
    switch (role) {
    case Qt::DisplayRole:
        return cellText(difference, unit, certainty, column);
    case Qt::TextAlignmentRole:
        return QVariant(Qt::AlignRight | Qt::AlignVCenter);
    case SortRole:
        return sortValue(difference, column);
    case SignificantRole:
        return difference.isSignificant;
    case ChangeRole:
        return column == DifferenceColumn::Change || column == DifferenceColumn::Relative
            ? QVariant(difference.isSignificant ? direction : 0)
            : QVariant();
    case ShareRole:
        return column == DifferenceColumn::Change && most > 0 ? QVariant(difference.change() / most) : QVariant();
    case Qt::ToolTipRole:
        if (certainty == model::Certainty::Exact)
            return QObject::tr("counted, so the difference is exact");
        if (certainty == model::Certainty::Unknown)
            return QObject::tr("not judged: how much of it is chance is not known");
        return difference.isSignificant
            ? QObject::tr("more than sampling explains (p = %1)").arg(difference.pValue, 0, 'g', 2)
            : QObject::tr("not more than sampling explains");
    default:
        return {};
    }
}

QVariant differenceHeader(DifferenceColumn column, int role)
{
    if (role == Qt::TextAlignmentRole)
        return QVariant(Qt::AlignRight | Qt::AlignVCenter);
    if (role != Qt::DisplayRole)
        return {};
    switch (column) {
    case DifferenceColumn::Before:
        return QObject::tr("Before");
    case DifferenceColumn::After:
        return QObject::tr("After");
    case DifferenceColumn::Change:
        return QObject::tr("Change");
    case DifferenceColumn::Relative:
        return QObject::tr("Relative");
    case DifferenceColumn::Interval:
        return QObject::tr("95 % interval");
    }
    return {};
}

DifferenceFilterModel::DifferenceFilterModel(QObject *parent)
    : NodeFilterModel(parent)
{
    setRecursiveFilteringEnabled(false); // frames come and go with their stack
}

void DifferenceFilterModel::setOnlySignificant(bool isOnly)
{
    if (m_isOnly == isOnly)
        return;
    m_isOnly = isOnly;
    invalidateFilter();
}

bool DifferenceFilterModel::filterAcceptsRow(int row, const QModelIndex &parent) const
{
    if (parent.isValid()) // frames of a stack: as their stack
        return true;
    if (m_isOnly && !sourceModel()->index(row, 0, parent).data(SignificantRole).toBool())
        return false;
    return NodeFilterModel::filterAcceptsRow(row, parent);
}

bool DifferenceFilterModel::lessThan(const QModelIndex &left, const QModelIndex &right) const
{
    if (left.parent().isValid()) // frames stay in their order
        return sortOrder() == Qt::AscendingOrder ? left.row() < right.row() : left.row() > right.row();
    return NodeFilterModel::lessThan(left, right);
}

} // namespace ui
