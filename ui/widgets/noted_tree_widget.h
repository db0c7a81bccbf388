// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QTreeWidget>

namespace ui {

/// As NotedTreeView, of rows that are hidden rather than left out: whoever hides them all says why.
class NotedTreeWidget : public QTreeWidget
{
    Q_OBJECT

public:
    using QTreeWidget::QTreeWidget;

    /// Shown until the next call; empty: nothing.
    void setNote(const QString &note);
    const QString &note() const { return m_note; }

protected:
    void paintEvent(QPaintEvent *event) override;
    void drawRow(QPainter *painter, const QStyleOptionViewItem &option, const QModelIndex &index) const override;

private:
    QString m_note;
};

} // namespace ui
