// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/theme_colors.h"

#include <QStyledItemDelegate>

namespace ui {

/// Paints cells of figures: a bar below the number where the model gives a ShareRole, tabular figures, names elided in the middle.
class ShareDelegate : public QStyledItemDelegate
{
    Q_OBJECT

public:
    /// `barToken`: colour of the bars.
    explicit ShareDelegate(Token barToken, QObject *parent = nullptr);

    void paint(QPainter *painter, const QStyleOptionViewItem &option, const QModelIndex &index) const override;
    QSize sizeHint(const QStyleOptionViewItem &option, const QModelIndex &index) const override;

private:
    Token m_barToken;
};

} // namespace ui
