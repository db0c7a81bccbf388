// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QPushButton>

namespace ui {

/// A part of the selection as a pill; a click takes it away. Where it has less room than it would like, its text is cut in the
/// middle, and the × stays.
class FilterChip : public QPushButton
{
    Q_OBJECT

public:
    explicit FilterChip(QWidget *parent = nullptr);

    /// Empty: hidden.
    void setFilter(const QString &text, const QString &meaning);

    /// What stands on it in the room that it has.
    QString shownText() const;

    QSize minimumSizeHint() const override;

protected:
    void paintEvent(QPaintEvent *event) override;

private:
    QString m_filter;
};

} // namespace ui
