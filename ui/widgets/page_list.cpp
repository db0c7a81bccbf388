// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/page_list.h"

#include "ui/icons.h"
#include "ui/theme.h"

#include <QButtonGroup>
#include <QPainter>
#include <QVBoxLayout>

#include <algorithm>

namespace ui {

namespace {

constexpr int kTextPx = 34; ///< the icon and what surrounds it

} // namespace

PageButton::PageButton(const QString &iconName, const QString &title, QWidget *parent)
    : QAbstractButton(parent)
    , m_iconName(iconName)
{
    setText(title);
    setCheckable(true);
    setFocusPolicy(Qt::TabFocus); // a click leaves the keys where they were
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
}

void PageButton::setBadge(int count)
{
    m_badge = count;
    updateGeometry();
    setAccessibleDescription(count > 0 ? tr("findings: %1").arg(count) : QString());
    update();
}

QSize PageButton::sizeHint() const
{
    const QFontMetrics metrics(textFont(font(), TextSize::Body, TextWeight::Strong));
    constexpr int kBadgePx = 26;
    return {kTextPx + metrics.horizontalAdvance(text()) + 8 + (m_badge > 0 ? kBadgePx : 0),
        std::max(30, metrics.height() + 12)};
}

void PageButton::enterEvent(QEnterEvent *) { update(); }

void PageButton::leaveEvent(QEvent *) { update(); }

void PageButton::paintEvent(QPaintEvent *)
{
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const Colors &colors = Colors::of(this);
    const QRectF area = QRectF(rect()).adjusted(0.5, 1, -0.5, -1);
    if (isChecked() || underMouse()) {
        painter.setPen(Qt::NoPen);
        painter.setBrush(colors[isChecked() ? Token::AccentSoft : Token::Hover]);
        painter.drawRoundedRect(area, 6, 6);
    }
    if (hasFocus()) {
        painter.setPen(QPen(colors[Token::Accent], 1));
        painter.setBrush(Qt::NoBrush);
        painter.drawRoundedRect(area, 6, 6);
    }
    const QColor ink = colors[isChecked() ? Token::Accent : Token::Ink];
    painter.drawPixmap(QPointF(10, height() / 2.0 - 8), iconPixmap(m_iconName, ink, 16, devicePixelRatioF()));
    painter.setFont(textFont(font(), TextSize::Body, isChecked() ? TextWeight::Strong : TextWeight::Normal));
    painter.setPen(ink);
    painter.drawText(rect().adjusted(kTextPx, 0, -8, 0), Qt::AlignVCenter, text());
    if (m_badge <= 0)
        return;
    painter.setFont(textFont(font(), TextSize::Caption, TextWeight::Strong));
    const QString number = QString::number(m_badge);
    const double wide = std::max(18.0, painter.fontMetrics().horizontalAdvance(number) + 10.0);
    const QRectF badge(width() - wide - 8, height() / 2.0 - 9, wide, 18);
    painter.setPen(Qt::NoPen);
    painter.setBrush(colors[Token::Warn]);
    painter.drawRoundedRect(badge, 9, 9);
    painter.setPen(colors[Token::Raised]);
    painter.drawText(badge, Qt::AlignCenter, number);
}

PageList::PageList(QWidget *parent)
    : QFrame(parent)
    , m_layout(new QVBoxLayout(this))
    , m_buttons(new QButtonGroup(this))
{
    setObjectName(QStringLiteral("pageList"));
    setMinimumWidth(168); // and as wide as its words in the system's font
    setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Preferred);
    setAccessibleName(tr("Pages"));
    m_layout->setContentsMargins(8, 12, 8, 12);
    m_layout->setSpacing(1);
    m_layout->addStretch(1);
    connect(m_buttons, &QButtonGroup::idClicked, this, &PageList::chosen);
}

PageButton *PageList::addEntry(const QString &iconName, const QString &title)
{
    auto *button = new PageButton(iconName, title, this);
    constexpr int kDigits = 9;
    if (m_count < kDigits) {
        button->setShortcut(QKeySequence(Qt::ALT | static_cast<Qt::Key>(Qt::Key_1 + m_count)));
        button->setToolTip(tr("%1 (%2)").arg(title, button->shortcut().toString(QKeySequence::NativeText)));
    }
    m_buttons->addButton(button, m_count++);
    m_layout->insertWidget(m_layout->count() - 1, button);
    setCurrent(std::max(current(), 0));
    return button;
}

void PageList::addRule()
{
    auto *rule = new QFrame(this);
    rule->setObjectName(QStringLiteral("rule"));
    rule->setFixedHeight(1);
    m_layout->insertSpacing(m_layout->count() - 1, 8);
    m_layout->insertWidget(m_layout->count() - 1, rule);
    m_layout->insertSpacing(m_layout->count() - 1, 8);
}

void PageList::setCurrent(int index)
{
    QAbstractButton *shown = m_buttons->button(index);
    if (shown == nullptr)
        return;
    shown->setChecked(true);
    for (QAbstractButton *button : m_buttons->buttons()) // Tab stops here once, and arrow keys move on
        button->setFocusPolicy(button == shown ? Qt::TabFocus : Qt::NoFocus);
}

int PageList::current() const { return m_buttons->checkedId(); }

} // namespace ui
