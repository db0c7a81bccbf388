// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/pages/page.h"

#include <QScrollArea>
#include <QVBoxLayout>

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

Export Page::pictureNamed(const QString &name)
{
    for (const Export &each : exports())
        if (each.name == name && each.picture)
            return each;
    return {};
}

Export Page::tableNamed(const QString &name)
{
    for (const Export &each : exports())
        if (each.name == name && each.table)
            return each;
    return {};
}

void Page::takeKeys()
{
    for (QWidget *widget : findChildren<QWidget *>())
        if (widget->focusPolicy() & Qt::TabFocus && widget->isVisible() && widget->isEnabled())
            return widget->setFocus(Qt::ShortcutFocusReason);
}

QVBoxLayout *Page::addScrollingColumn(QVBoxLayout *outer)
{
    auto *scroll = new QScrollArea;
    scroll->setWidgetResizable(true);
    scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    scroll->setFrameShape(QFrame::NoFrame);
    auto *area = new QWidget;
    auto *column = new QVBoxLayout(area);
    column->setContentsMargins(0, 0, 6, 0);
    column->setSpacing(16);
    scroll->setWidget(area);
    outer->addWidget(scroll);
    return column;
}

} // namespace ui
