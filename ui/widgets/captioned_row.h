// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QWidget>

class QHBoxLayout;
class QLabel;
class QSpacerItem;

namespace ui {

class ElidedLabel;

/// A title and a muted caption that is never cut off: it stands behind the title where there is room for all of it, else in lines of its own
/// below. GUI thread.
class CaptionedRow : public QWidget
{
    Q_OBJECT

public:
    /// A row that begins with `title`; the caption stands behind it, aligned so.
    explicit CaptionedRow(QWidget *title, Qt::Alignment alignment = {}, QWidget *parent = nullptr);

    /// What is added stands at the right of the row.
    QHBoxLayout *row() { return m_row; }
    void setCaption(const QString &caption);

    /// Whether it stands in the row now.
    bool isBeside() const { return m_isBeside; }

protected:
    bool event(QEvent *event) override;
    void resizeEvent(QResizeEvent *event) override;

private:
    void place();
    int widthOfAll() const;

    QHBoxLayout *m_row;
    ElidedLabel *m_beside;
    QSpacerItem *m_rest; ///< takes the caption's room in the row; the row's
    QLabel *m_below;
    bool m_isBeside = true;
};

} // namespace ui
