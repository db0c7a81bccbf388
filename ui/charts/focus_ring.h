// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/theme_colors.h"

#include <QRectF>

class QFocusEvent;
class QPainter;

namespace ui {

/// Whether a key brought the focus. What the pointer clicked needs no ring: the eye is there already.
bool isByKey(const QFocusEvent &event);

/// The frame of what has the keyboard, within `area`.
void paintFocusRing(QPainter &painter, const QRectF &area, const Colors &colors);

} // namespace ui
