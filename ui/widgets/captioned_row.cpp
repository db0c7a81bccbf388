// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/captioned_row.h"

#include "ui/widgets/labels.h"

#include <QEvent>
#include <QHBoxLayout>
#include <QLabel>
#include <QVBoxLayout>

namespace ui {

CaptionedRow::CaptionedRow(QWidget *title, Qt::Alignment alignment, QWidget *parent)
    : QWidget(parent)
    , m_row(new QHBoxLayout)
    , m_beside(new ElidedLabel)
    , m_rest(new QSpacerItem(0, 0, QSizePolicy::Minimum, QSizePolicy::Minimum))
    , m_below(newLabel({}, TextSize::Caption, TextWeight::Normal, "muted"))
{
    auto *column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(2);
    m_row->setSpacing(8);
    m_row->addWidget(title);
    m_row->addWidget(m_beside, 1, alignment);
    m_row->addSpacerItem(m_rest);
    column->addLayout(m_row);
    column->addWidget(m_below);
    m_beside->setFont(m_below->font());
    m_beside->setToken(Token::InkMuted);
    m_beside->setElideMode(Qt::ElideRight);
    m_below->setWordWrap(true);
    QSizePolicy policy = m_below->sizePolicy();
    policy.setHorizontalPolicy(QSizePolicy::Ignored); // a long word widens nothing
    m_below->setSizePolicy(policy);
    m_below->hide();
}

void CaptionedRow::setCaption(const QString &caption)
{
    m_beside->setText(caption);
    // A path has no spaces: it is broken behind its folders.
    m_below->setText(QString(caption).replace(u'/', QStringLiteral("/\u200b")));
    place();
}

bool CaptionedRow::event(QEvent *event)
{
    if (event->type() == QEvent::LayoutRequest)
        place();
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

void CaptionedRow::place()
{
    const bool isBeside = m_below->text().isEmpty() || widthOfAll() <= width();
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
