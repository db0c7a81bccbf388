// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QPushButton>

namespace ui {

/// A part of the selection as a pill; a click takes it away.
class FilterChip : public QPushButton
{
    Q_OBJECT

public:
    explicit FilterChip(QWidget *parent = nullptr);

    /// Empty: hidden.
    void setFilter(const QString &text, const QString &meaning);
};

} // namespace ui
