// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/card.h"

#include "ui/dialogs/save_export.h"
#include "ui/widgets/labels.h"

#include <QHBoxLayout>

namespace ui {

Card::Card(const QString &title, QWidget *parent)
    : QFrame(parent)
{
    setProperty("card", true);
    m_body = new QVBoxLayout(this);
    m_body->setContentsMargins(16, 12, 16, 12);
    m_body->setSpacing(8);
    setUpHeader();
    setTitle(title);
}

void Card::setUpHeader()
{
    m_headerArea = new QWidget(this);
    m_header = new QHBoxLayout(m_headerArea);
    m_header->setContentsMargins(0, 0, 0, 0);
    m_header->setSpacing(8);
    m_title = newLabel({}, TextSize::Body, TextWeight::Strong);
    m_caption = new ElidedLabel;
    m_caption->setFont(textFont(font(), TextSize::Caption));
    m_caption->setToken(Token::InkMuted);
    m_caption->setElideMode(Qt::ElideRight);
    m_header->addWidget(m_title);
    m_header->addWidget(m_caption, 1);
    m_body->addWidget(m_headerArea);
}

void Card::setTitle(const QString &title)
{
    m_title->setText(title);
    m_headerArea->setVisible(!title.isEmpty());
    setAccessibleName(title);
}

void Card::setCaption(const QString &caption) { m_caption->setText(caption); }

void Card::addExport(const QString &kind, std::function<Export()> make)
{
    QPushButton *link = newLinkButton(kind);
    link->setAccessibleName(tr("Save %1 as %2").arg(m_title->text(), kind));
    link->setFont(textFont(font(), TextSize::Caption));
    m_header->addWidget(link);
    connect(link, &QPushButton::clicked, this, [this, make = std::move(make)] { saveExport(make(), this); });
}

} // namespace ui
