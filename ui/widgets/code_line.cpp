// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/code_line.h"

#include "ui/widgets/labels.h"

#include <QApplication>
#include <QClipboard>
#include <QHBoxLayout>

namespace ui {

CodeLine::CodeLine(const QString &command, QWidget *parent)
    : QFrame(parent)
    , m_label(new ElidedLabel)
    , m_copy(newLinkButton(tr("Copy")))
{
    setObjectName(QStringLiteral("codeLine"));
    auto *layout = new QHBoxLayout(this);
    layout->setContentsMargins(10, 4, 10, 4);
    layout->setSpacing(8);
    m_label->setFont(codeFont(QApplication::font()));
    m_label->setElideMode(Qt::ElideRight);
    layout->addWidget(m_label, 1);
    layout->addWidget(m_copy);
    setCommand(command);
    connect(m_copy, &QPushButton::clicked, this, [this] { QApplication::clipboard()->setText(m_label->text()); });
}

void CodeLine::setCommand(const QString &command)
{
    m_label->setText(command);
    m_copy->setAccessibleName(tr("Copy %1").arg(command));
}

const QString &CodeLine::command() const { return m_label->text(); }

} // namespace ui
