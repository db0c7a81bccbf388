// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/analysis/leak_detector.h"

#include <QAbstractTableModel>

#include <memory>

namespace ui {

/// The findings of a leak report, in its order. Columns: verdict, place, growth an hour, its interval, live, share that stays.
class LeakTableModel : public QAbstractTableModel
{
    Q_OBJECT

public:
    enum Column { VerdictColumn, PlaceColumn, GrowthColumn, IntervalColumn, LiveColumn, StaysColumn, ColumnCount };

    using QAbstractTableModel::QAbstractTableModel;

    /// Findings point into the snapshot that they were made from; the model keeps it.
    void setReport(model::LeakReport report, std::shared_ptr<const model::Snapshot> snapshot);
    const model::LeakReport &report() const { return m_report; }
    const std::shared_ptr<const model::Snapshot> &snapshot() const { return m_snapshot; }

    int rowCount(const QModelIndex &parent = {}) const override;
    int columnCount(const QModelIndex &parent = {}) const override;
    QVariant data(const QModelIndex &index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

private:
    QString cellText(const model::LeakItem &item, int column) const;

    model::LeakReport m_report;
    std::shared_ptr<const model::Snapshot> m_snapshot;
};

} // namespace ui
