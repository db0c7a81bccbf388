// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/filter_chip.h"

#include <QStyleOptionButton>
#include <QStylePainter>

#include <algorithm>

namespace ui {

namespace {

QString cross() { return QStringLiteral("  ×"); }

/// A button takes what follows an "&" for a key.
QString withoutKeys(QString text) { return text.replace(QLatin1Char('&'), QLatin1String("&&")); }

} // namespace

FilterChip::FilterChip(QWidget *parent)
    : QPushButton(parent)
{
    setProperty("kind", QStringLiteral("chip"));
    setSizePolicy(QSizePolicy::Maximum, QSizePolicy::Fixed);
    hide();
}

void FilterChip::setFilter(const QString &text, const QString &meaning)
{
    m_filter = text;
    setVisible(!text.isEmpty());
    setText(withoutKeys(text + cross()));
    setToolTip(meaning.isEmpty() ? text : text + QLatin1Char('\n') + meaning);
    setAccessibleName(meaning);
}

QSize FilterChip::minimumSizeHint() const
{
    const QSize whole = sizeHint();
    const int given
        = fontMetrics().horizontalAdvance(m_filter) - fontMetrics().horizontalAdvance(QStringLiteral("pid 12…"));
    return {whole.width() - std::max(given, 0), whole.height()};
}

QString FilterChip::shownText() const
{
    const int missing = sizeHint().width() - width();
    if (missing <= 0)
        return text();
    const int room = fontMetrics().horizontalAdvance(m_filter) - missing;
    return withoutKeys(fontMetrics().elidedText(m_filter, Qt::ElideMiddle, room) + cross());
}

void FilterChip::paintEvent(QPaintEvent *)
{
    QStylePainter painter(this);
    QStyleOptionButton option;
    initStyleOption(&option);
    option.text = shownText();
    painter.drawControl(QStyle::CE_PushButton, option);
}

} // namespace ui
