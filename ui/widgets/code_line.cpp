// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/code_line.h"

#include "ui/widgets/labels.h"

#include <QApplication>
#include <QClipboard>
#include <QHBoxLayout>
#include <QLabel>

namespace ui {

CodeLine::CodeLine(const QString &command, QWidget *parent)
    : QFrame(parent)
    , m_label(newLabel({}))
    , m_copy(newLinkButton(tr("Copy")))
{
    setObjectName(QStringLiteral("codeLine"));
    auto *layout = new QHBoxLayout(this);
    layout->setContentsMargins(10, 4, 10, 4);
    layout->setSpacing(8);
    m_label->setFont(codeFont(QApplication::font()));
    m_label->setWordWrap(true);
    m_label->setTextFormat(Qt::PlainText);
    // Without a least width of its own: a long path is broken, and widens nothing.
    m_label->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
    layout->addWidget(m_label, 1);
    layout->addWidget(m_copy, 0, Qt::AlignTop);
    setCommand(command);
    connect(m_copy, &QPushButton::clicked, this, [this] { QApplication::clipboard()->setText(m_command); });
}

void CodeLine::setCommand(const QString &command)
{
    m_command = command;
    // A path has no spaces to break it at; an option is not to be broken behind its dashes.
    m_label->setText(
        QString(command).replace(u'/', QStringLiteral("/\u200b")).replace(u'-', QStringLiteral("-\u2060")));
    m_copy->setAccessibleName(tr("Copy %1").arg(command));
}

const QString &CodeLine::command() const { return m_command; }

} // namespace ui
