// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/pages/page.h"

namespace ui {

QImage Page::picture()
{
    constexpr qreal kScale = 2;
    QImage image(size() * kScale, QImage::Format_ARGB32_Premultiplied);
    image.setDevicePixelRatio(kScale);
    image.fill(palette().color(QPalette::Window));
    render(&image);
    return image;
}

} // namespace ui
