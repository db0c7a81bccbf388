// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/theme_colors.h"

#include <QStyledItemDelegate>

namespace ui {

/// Paints cells of figures: a bar below the number where the model gives a ShareRole, tabular figures, names elided in the middle;
/// changes in their colour.
class ShareDelegate : public QStyledItemDelegate
{
    Q_OBJECT

public:
    /// `barToken`: colour of the bars; `negativeToken`: of those of shares below 0.
    explicit ShareDelegate(Token barToken, QObject *parent = nullptr, Token negativeToken = Token::Ok);

    void paint(QPainter *painter, const QStyleOptionViewItem &option, const QModelIndex &index) const override;
    /// The ink of a change (ChangeRole): red for more, blue for less, muted where it is not significant.
    void initStyleOption(QStyleOptionViewItem *option, const QModelIndex &index) const override;
    QSize sizeHint(const QStyleOptionViewItem &option, const QModelIndex &index) const override;

private:
    void paintBar(QPainter &painter, const QRect &cell, double share, const Colors &colors) const;

    Token m_barToken;
    Token m_negativeToken;
};

} // namespace ui
