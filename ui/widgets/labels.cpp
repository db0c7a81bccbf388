// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/labels.h"

#include <QApplication>
#include <QPainter>
#include <QStyle>

namespace ui {

QLabel *newLabel(const QString &text, TextSize size, TextWeight weight, const char *tone)
{
    auto *label = new QLabel(text);
    label->setFont(textFont(QApplication::font(), size, weight));
    label->setTextFormat(Qt::PlainText);
    if (tone != nullptr)
        label->setProperty("tone", QLatin1StringView(tone));
    return label;
}

void setTone(QLabel *label, const char *tone)
{
    const QVariant value = tone != nullptr ? QVariant(QLatin1StringView(tone)) : QVariant();
    if (label->property("tone") == value)
        return;
    label->setProperty("tone", value);
    label->style()->unpolish(label);
    label->style()->polish(label);
}

const char *toneOf(model::Trust trust) { return trust == model::Trust::Partial ? "warn" : "muted"; }

Token tokenOf(model::Trust trust) { return trust == model::Trust::Partial ? Token::Warn : Token::InkMuted; }

QPushButton *newPrimaryButton(const QString &text)
{
    auto *button = new QPushButton(text);
    button->setProperty("kind", QStringLiteral("primary"));
    return button;
}

QPushButton *newLinkButton(const QString &text)
{
    auto *button = new QPushButton(text);
    button->setProperty("kind", QStringLiteral("link"));
    button->setCursor(Qt::PointingHandCursor);
    button->setSizePolicy(QSizePolicy::Maximum, QSizePolicy::Fixed);
    return button;
}

ElidedLabel::ElidedLabel(QWidget *parent)
    : QWidget(parent)
{
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
}

void ElidedLabel::setText(const QString &text)
{
    if (text == m_text)
        return;
    m_text = text;
    setToolTip(text);
    setAccessibleName(text);
    updateGeometry();
    update();
}

void ElidedLabel::setToken(Token token)
{
    m_token = token;
    update();
}

void ElidedLabel::setElideMode(Qt::TextElideMode mode)
{
    m_mode = mode;
    update();
}

QSize ElidedLabel::sizeHint() const
{
    return QSize(fontMetrics().horizontalAdvance(m_text) + 2, fontMetrics().height() + 2).grownBy(contentsMargins());
}

QSize ElidedLabel::minimumSizeHint() const { return {m_text.isEmpty() ? 0 : 40, sizeHint().height()}; }

void ElidedLabel::paintEvent(QPaintEvent *)
{
    QPainter painter(this);
    painter.setPen(Colors::of(this)[m_token]);
    const QRect room = contentsRect();
    painter.drawText(room, Qt::AlignLeft | Qt::AlignVCenter, fontMetrics().elidedText(m_text, m_mode, room.width()));
}

StateDot::StateDot(Token token, QWidget *parent)
    : QWidget(parent)
    , m_token(token)
{
    setFixedSize(10, 16);
}

void StateDot::setToken(Token token)
{
    m_token = token;
    update();
}

void StateDot::paintEvent(QPaintEvent *)
{
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setPen(Qt::NoPen);
    painter.setBrush(Colors::of(this)[m_token]);
    painter.drawEllipse(QRectF(1, height() / 2.0 - 4, 8, 8));
}

} // namespace ui
