// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/icons.h"

#include <QBuffer>
#include <QFile>
#include <QImageReader>
#include <QPixmapCache>

namespace ui {

QPixmap iconPixmap(const QString &name, const QColor &color, int pixels, qreal devicePixelRatio)
{
    const QString key = QStringLiteral("icon/%1/%2/%3/%4").arg(name, color.name()).arg(pixels).arg(devicePixelRatio);
    QPixmap pixmap;
    if (QPixmapCache::find(key, &pixmap))
        return pixmap;
    QFile file(QStringLiteral(":/icons/%1.svg").arg(name));
    if (!file.open(QIODevice::ReadOnly))
        return {};
    QByteArray svg = file.readAll().replace("currentColor", color.name().toLatin1());
    QBuffer buffer(&svg);
    QImageReader reader(&buffer, "svg");
    reader.setScaledSize(QSize(pixels, pixels) * devicePixelRatio);
    pixmap = QPixmap::fromImage(reader.read());
    pixmap.setDevicePixelRatio(devicePixelRatio);
    QPixmapCache::insert(key, pixmap);
    return pixmap;
}

} // namespace ui
