// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/captioned_row.h"

#include "ui/widgets/labels.h"

#include <QEvent>
#include <QHBoxLayout>
#include <QLabel>

namespace ui {

namespace {
constexpr int kLineGap = 2; ///< above the caption's own lines
} // namespace

CaptionedRow::CaptionedRow(QWidget *title, Qt::Alignment alignment, QWidget *parent)
    : QWidget(parent)
    , m_line(new QWidget(this))
    , m_row(new QHBoxLayout(m_line))
    , m_beside(new ElidedLabel)
    , m_rest(new QSpacerItem(0, 0, QSizePolicy::Minimum, QSizePolicy::Minimum))
    , m_below(newLabel({}, TextSize::Caption, TextWeight::Normal, "muted"))
{
    m_row->setContentsMargins(0, 0, 0, 0);
    m_row->setSpacing(8);
    m_row->addWidget(title);
    m_row->addWidget(m_beside, 1, alignment);
    m_row->addSpacerItem(m_rest);
    m_beside->setFont(m_below->font());
    m_beside->setToken(Token::InkMuted);
    m_beside->setElideMode(Qt::ElideRight);
    m_below->setParent(this);
    m_below->setWordWrap(true);
    m_below->hide();
    QSizePolicy policy(QSizePolicy::Preferred, QSizePolicy::Preferred);
    policy.setHeightForWidth(true);
    setSizePolicy(policy);
}

void CaptionedRow::setCaption(const QString &caption)
{
    m_beside->setText(caption);
    // A path has no spaces: it is broken behind its folders.
    m_below->setText(QString(caption).replace(u'/', QStringLiteral("/\u200b")));
    updateGeometry();
    place();
}

void CaptionedRow::setTrust(model::Trust trust)
{
    m_beside->setToken(tokenOf(trust));
    setTone(m_below, toneOf(trust));
}

QSize CaptionedRow::sizeHint() const { return m_line->sizeHint(); }

QSize CaptionedRow::minimumSizeHint() const { return m_line->minimumSizeHint(); } // a long word widens nothing

int CaptionedRow::heightForWidth(int width) const
{
    const int line = m_line->sizeHint().height();
    return isRoomBeside(width) ? line : line + kLineGap + m_below->heightForWidth(width);
}

bool CaptionedRow::event(QEvent *event)
{
    if (event->type() == QEvent::LayoutRequest) { // what stands in the row has changed
        updateGeometry();
        place();
    }
    return QWidget::event(event);
}

void CaptionedRow::resizeEvent(QResizeEvent *event)
{
    QWidget::resizeEvent(event);
    place();
}

int CaptionedRow::widthOfAll() const
{
    int width = m_beside->sizeHint().width();
    for (int i = 0; i < m_row->count(); ++i) {
        const QLayoutItem *item = m_row->itemAt(i);
        if (item->widget() != m_beside && !item->isEmpty())
            width += item->sizeHint().width() + m_row->spacing();
    }
    return width;
}

bool CaptionedRow::isRoomBeside(int width) const { return m_below->text().isEmpty() || widthOfAll() <= width; }

void CaptionedRow::place()
{
    const bool isBeside = isRoomBeside(width());
    const int line = isBeside ? height() : m_line->sizeHint().height();
    m_line->setGeometry(0, 0, width(), line);
    m_below->setGeometry(0, line + kLineGap, width(), m_below->heightForWidth(width()));
    if (isBeside == m_isBeside)
        return;
    m_isBeside = isBeside;
    m_beside->setVisible(m_isBeside);
    m_rest->changeSize(
        0, 0, m_isBeside ? QSizePolicy::Minimum : QSizePolicy::Expanding); // what follows stays at the right
    m_row->invalidate();
    m_below->setVisible(!m_isBeside);
}

} // namespace ui
