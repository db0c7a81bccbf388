// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/card.h"

#include "ui/dialogs/save_export.h"
#include "ui/widgets/captioned_row.h"
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
    m_title = newLabel({}, TextSize::Body, TextWeight::Strong);
    m_headerArea = new CaptionedRow(m_title, {}, this);
    m_body->addWidget(m_headerArea);
}

void Card::setTitle(const QString &title)
{
    m_title->setText(title);
    m_headerArea->setVisible(!title.isEmpty());
    setAccessibleName(title);
}

QHBoxLayout *Card::header() { return m_headerArea->row(); }

void Card::setCaption(const QString &caption) { m_headerArea->setCaption(caption); }

void Card::addExport(const QString &kind, std::function<Export()> make)
{
    QPushButton *link = newLinkButton(kind);
    link->setAccessibleName(tr("Save %1 as %2").arg(m_title->text(), kind));
    link->setFont(textFont(font(), TextSize::Caption));
    header()->addWidget(link);
    connect(link, &QPushButton::clicked, this, [this, make = std::move(make)] { saveExport(make(), this); });
}

} // namespace ui
