// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QTreeView>

namespace ui {

/// Writes why a view has no rows where these would begin, muted.
void paintNote(QWidget &viewport, const QString &note);

/// Marks the row where the keys begin from edge to edge, below what the row draws: a style sheet marks its first cell alone.
void paintWhereKeysBegin(
    const QTreeView &view, QPainter &painter, const QStyleOptionViewItem &option, const QModelIndex &row);

/// A tree or table that says in its place why it has no rows, and marks the row where the keys begin from edge to edge.
class NotedTreeView : public QTreeView
{
    Q_OBJECT

public:
    using QTreeView::QTreeView;

    /// Shown while there is no row; empty: nothing.
    void setNote(const QString &note);
    const QString &note() const { return m_note; }
    /// Asks for room for so many rows below the heading, whatever splits the page.
    void setLeastRows(int rows);
    QSize minimumSizeHint() const override;

protected:
    void paintEvent(QPaintEvent *event) override;
    void drawRow(QPainter *painter, const QStyleOptionViewItem &option, const QModelIndex &index) const override;

private:
    QString m_note;
    int m_leastRows = 0;
};

} // namespace ui
