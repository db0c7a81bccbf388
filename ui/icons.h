// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QColor>
#include <QPixmap>
#include <QString>

namespace ui {

/// The icon `name` of resources/icons in one colour, `pixels` high in device-independent pixels. Empty where it does not exist or Qt has
/// no SVG reader: icons always stand beside a word. Kept in QPixmapCache.
QPixmap iconPixmap(const QString &name, const QColor &color, int pixels, qreal devicePixelRatio);

} // namespace ui
