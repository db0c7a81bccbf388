// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/banner.h"

#include "ui/widgets/labels.h"

#include <QHBoxLayout>

namespace ui {

Banner::Banner(QWidget *parent)
    : QFrame(parent)
    , m_text(newLabel({}))
    , m_action(newLinkButton({}))
{
    setObjectName(QStringLiteral("banner"));
    m_text->setWordWrap(true);
    m_text->setTextInteractionFlags(Qt::TextSelectableByMouse);
    auto *layout = new QHBoxLayout(this);
    layout->setContentsMargins(16, 6, 16, 6);
    layout->addWidget(m_text, 1);
    layout->addWidget(m_action);
    hide();
    connect(m_action, &QPushButton::clicked, this, &Banner::actionWanted);
}

void Banner::setText(const QString &text, const QString &action)
{
    m_text->setText(text);
    m_action->setText(action);
    m_action->setVisible(!action.isEmpty());
    setVisible(!text.isEmpty());
}

} // namespace ui
