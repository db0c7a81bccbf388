// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/models/leak_table_model.h"

#include "model/base/format_interval.h"
#include "ui/text.h"

namespace ui {

void LeakTableModel::setReport(model::LeakReport report, std::shared_ptr<const model::Snapshot> snapshot)
{
    beginResetModel();
    m_report = std::move(report);
    m_snapshot = std::move(snapshot);
    endResetModel();
}

int LeakTableModel::rowCount(const QModelIndex &parent) const
{
    return parent.isValid() ? 0 : static_cast<int>(m_report.items.size());
}

int LeakTableModel::columnCount(const QModelIndex &parent) const { return parent.isValid() ? 0 : ColumnCount; }

QString LeakTableModel::cellText(const model::LeakItem &item, int column) const
{
    const bool isIdle = item.tier == model::LeakTier::Idle || !item.stacks.front().test.isEnough;
    const auto perHour = [](double bytes) { return text(model::formatValue(bytes, model::Unit::BytesPerHour)); };
    switch (column) {
    case VerdictColumn:
        return item.tier == model::LeakTier::Lost   ? item.isConfirmed ? tr("lost") : tr("lost, one scan")
              : item.tier == model::LeakTier::Growing ? item.isConfirmed ? tr("leaking") : tr("leaking, early")
              : item.tier == model::LeakTier::Idle ? tr("kept")
                                                    : tr("leak or cache");
    case PlaceColumn:
        return item.where.empty() ? text(item.place) : text(item.place + "   " + item.where);
    case GrowthColumn:
        return isIdle ? QString() : perHour(item.bytesPerHour);
    case IntervalColumn:
        return isIdle
            ? QString()
            : text(model::formatInterval(item.bytesPerHour95.low, item.bytesPerHour95.high, model::Unit::BytesPerHour));
    case LiveColumn:
        return text(model::formatBytes(static_cast<double>(item.liveBytes)));
    case StaysColumn:
        return item.stacks.front().test.isEnough ? text(model::formatShare(item.leakShare)) : QString();
    default:
        return {};
    }
}

QVariant LeakTableModel::data(const QModelIndex &index, int role) const
{
    if (!index.isValid() || index.row() >= rowCount())
        return {};
    const model::LeakItem &item = m_report.items[static_cast<std::size_t>(index.row())];
    if (role == Qt::DisplayRole)
        return cellText(item, index.column());
    if (role == Qt::ToolTipRole)
        return index.column() == PlaceColumn ? text(item.function) : text(item.title);
    if (role == Qt::TextAlignmentRole && index.column() >= GrowthColumn)
        return QVariant::fromValue(Qt::AlignRight | Qt::AlignVCenter);
    return {};
}

QVariant LeakTableModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (orientation != Qt::Horizontal)
        return {};
    if (role == Qt::TextAlignmentRole)
        return QVariant::fromValue((section >= GrowthColumn ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter);
    if (role != Qt::DisplayRole)
        return {};
    const QString names[]{tr("Verdict"), tr("Where"), tr("Growth"), tr("95 % interval"), tr("Live"), tr("Stay")};
    return section >= 0 && section < ColumnCount ? QVariant(names[section]) : QVariant();
}

} // namespace ui
