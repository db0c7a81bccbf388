// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/analysis/coverage.h"

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
    void setTrust(model::Trust trust); ///< the caption's colour

    /// Whether it stands in the row now.
    bool isBeside() const { return m_isBeside; }

    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;
    int heightForWidth(int width) const override;

protected:
    bool event(QEvent *event) override;
    void resizeEvent(QResizeEvent *event) override;

private:
    /// Puts the caption where it belongs at this width. No layout does: one that is asked for room in the middle of being laid out
    /// leaves what follows where it was.
    void place();
    bool isRoomBeside(int width) const;
    int widthOfAll() const;

    QWidget *m_line;
    QHBoxLayout *m_row; ///< m_line's
    ElidedLabel *m_beside;
    QSpacerItem *m_rest; ///< takes the caption's room in the row; the row's
    QLabel *m_below;
    bool m_isBeside = true;
};

} // namespace ui
