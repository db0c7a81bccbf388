// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/filter_chip.h"

namespace ui {

FilterChip::FilterChip(QWidget *parent)
    : QPushButton(parent)
{
    setProperty("kind", QStringLiteral("chip"));
    hide();
}

void FilterChip::setFilter(const QString &text, const QString &meaning)
{
    setVisible(!text.isEmpty());
    setText(text + QStringLiteral("  ×"));
    setToolTip(meaning);
    setAccessibleName(meaning);
}

} // namespace ui
