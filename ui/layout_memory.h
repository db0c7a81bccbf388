// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QHash>
#include <QObject>
#include <QPointer>
#include <QString>

class QHeaderView;
class QSettings;
class QSplitter;

namespace ui {

/// Keeps what somebody drags: the parts of splitters and the widths of columns, page by page, between starts of the window.
///
/// Only what was dragged is kept, so that all else goes on following its content; parts of a splitter keep their proportions from then on, unless
/// one of them has no stretch while others have: that one keeps its size. A page that fits its columns later does not
/// undo it. A double click on the edge of a column's heading forgets that column. What the settings hold is not trusted: numbers that
/// are none, lists of another length and columns that are not there are passed over. GUI thread; the settings must outlive it.
class LayoutMemory : public QObject
{
    Q_OBJECT

public:
    explicit LayoutMemory(QSettings &settings, QObject *parent = nullptr);

    /// From now on keeps the splitters and columns within `page`, and gives them what was kept of them under `key`.
    void follow(const QString &key, QWidget *page);
    /// The same for one splitter that belongs to no page.
    void followOne(const QString &key, QSplitter *splitter);

protected:
    bool eventFilter(QObject *watched, QEvent *event) override;

private:
    /// Widths of columns in pixels, by the columns' names.
    struct Columns
    {
        QString key;
        QHash<QString, int> widths;
    };

    void followSplitter(const QString &key, QSplitter *splitter);
    void followHeader(const QString &key, QHeaderView *header);
    void takeWidth(QHeaderView *header, int column, int width);
    void forget(QHeaderView *header, int column);
    void applyTo(QHeaderView *header);
    void applyTo(QHeaderView *header, int column);

    QSettings &m_settings;
    QHash<const QObject *, Columns> m_columns; ///< by header
    QPointer<QHeaderView> m_dragged;           ///< whose columns the pointer holds
    bool m_isApplying = false;
};

} // namespace ui
