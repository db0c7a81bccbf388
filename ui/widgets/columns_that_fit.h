// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QHash>
#include <QObject>
#include <QSet>
#include <QStringList>

#include <vector>

class QAbstractItemView;
class QHeaderView;
class QTableView;
class QTreeView;

namespace ui {

/// Keeps the column of names in a table wide enough to read them: where the table is narrow, less important columns are hidden,
/// and the tool tip of the headings names them. The names' column is the one that stretches. GUI thread; the view owns it.
class ColumnsThatFit : public QObject
{
    Q_OBJECT

public:
    /// `nameColumn` keeps at least `leastNamePx`; `givingWay`: columns that may be hidden, the least important first.
    ColumnsThatFit(QTreeView &view, int nameColumn, int leastNamePx, std::vector<int> givingWay);
    ColumnsThatFit(QTableView &view, int nameColumn, int leastNamePx, std::vector<int> givingWay);

    /// Whether a column has something to say at all: else it is hidden in a wide table too.
    void setWanted(int column, bool isWanted);

    /// Headings of the columns that are hidden for want of room.
    QStringList hiddenTitles() const;

protected:
    bool eventFilter(QObject *watched, QEvent *event) override;

private:
    ColumnsThatFit(
        QAbstractItemView &view, QHeaderView &header, int nameColumn, int leastNamePx, std::vector<int> givingWay);
    void fit();
    int widthOf(int column) const;

    QAbstractItemView &m_view;
    QHeaderView &m_header;
    QWidget *const m_viewport;
    int m_nameColumn;
    int m_leastNamePx;
    std::vector<int> m_givingWay;
    QSet<int> m_unwanted;
    QSet<int> m_noRoom;
    QHash<int, int> m_widths; ///< of hidden columns as they were, pixels
};

} // namespace ui
