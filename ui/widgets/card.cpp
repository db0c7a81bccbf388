// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/card.h"

#include "ui/dialogs/save_export.h"
#include "ui/widgets/captioned_row.h"
#include "ui/widgets/labels.h"

#include <QClipboard>
#include <QContextMenuEvent>
#include <QGuiApplication>
#include <QHBoxLayout>
#include <QMenu>

#include <algorithm>

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

void Card::setCaptionTrust(model::Trust trust) { m_headerArea->setTrust(trust); }

void Card::setCaption(const QString &caption) { m_headerArea->setCaption(caption); }

void Card::addExport(const QString &kind, std::function<Export()> make)
{
    QPushButton *link = newLinkButton(kind);
    link->setAccessibleName(tr("Save %1 as %2").arg(m_title->text(), kind));
    link->setFont(textFont(font(), TextSize::Caption));
    header()->addWidget(link);
    connect(link, &QPushButton::clicked, this, [this, make] { saveExport(make(), this); });
    addMenuExport(kind, std::move(make));
}

void Card::addMenuExport(const QString &kind, std::function<Export()> make)
{
    m_exports.emplace_back(kind, std::move(make));
}

/// Of what takes no right click itself: charts. Tables have a menu of their own.
void Card::contextMenuEvent(QContextMenuEvent *event)
{
    const auto picture = std::find_if(
        m_exports.begin(), m_exports.end(), [](const auto &each) { return each.first == QLatin1String("PNG"); });
    if (picture == m_exports.end())
        return QFrame::contextMenuEvent(event);
    auto *menu = new QMenu(this);
    menu->setAttribute(Qt::WA_DeleteOnClose);
    menu->addAction(tr("Copy image"), this, [make = picture->second] {
        if (const Export what = make(); what.picture)
            QGuiApplication::clipboard()->setImage(what.picture());
    });
    for (const auto &[kind, make] : m_exports)
        menu->addAction(tr("Export as %1…").arg(kind), this, [this, make = make] { saveExport(make(), this); });
    if (m_showAll)
        menu->addAction(tr("Show all"), this, m_showAll);
    menu->popup(event->globalPos());
}

} // namespace ui
