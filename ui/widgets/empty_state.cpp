// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/empty_state.h"

#include "ui/widgets/labels.h"

#include <QHBoxLayout>
#include <QVBoxLayout>

namespace ui {

namespace {
constexpr int kMostWidth = 640;
} // namespace

EmptyState::EmptyState(QWidget *parent)
    : QWidget(parent)
    , m_title(newLabel({}, TextSize::Number, TextWeight::Strong))
    , m_sentence(newLabel({}, TextSize::Body, TextWeight::Normal, "muted"))
    , m_action(newPrimaryButton({}))
    , m_other(new QPushButton)
{
    m_title->setWordWrap(true);
    m_title->setMaximumWidth(kMostWidth);
    m_sentence->setWordWrap(true);
    m_sentence->setTextInteractionFlags(Qt::TextSelectableByMouse);
    m_sentence->setMinimumWidth(280);
    m_sentence->setMaximumWidth(kMostWidth);
    auto *column = new QVBoxLayout(this);
    column->setContentsMargins(32, 32, 32, 32);
    column->setSpacing(12);
    column->addStretch(2);
    column->addWidget(m_title);
    column->addWidget(m_sentence);
    auto *actions = new QHBoxLayout;
    actions->setSpacing(8);
    actions->addWidget(m_action);
    actions->addWidget(m_other);
    actions->addStretch(1);
    column->addLayout(actions);
    column->addStretch(3);
    m_action->hide();
    m_other->hide();
    connect(m_action, &QPushButton::clicked, this, &EmptyState::actionWanted);
    connect(m_other, &QPushButton::clicked, this, &EmptyState::otherActionWanted);
}

void EmptyState::setText(const QString &title, const QString &sentence, const QString &action, const QString &other)
{
    m_title->setText(title);
    m_sentence->setText(sentence);
    m_sentence->setVisible(!sentence.isEmpty());
    m_action->setText(action);
    m_action->setVisible(!action.isEmpty());
    m_other->setText(other);
    m_other->setVisible(!other.isEmpty());
}

void EmptyState::setWords(const QString &words, const QString &action)
{
    const qsizetype end = words.indexOf(u'\n');
    QString title = words.left(end);
    if (title.endsWith(u'.') && !title.contains(QStringLiteral(". ")))
        title.chop(1); // a heading
    setText(title, end < 0 ? QString() : words.mid(end + 1), action);
}

} // namespace ui
