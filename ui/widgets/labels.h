// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/analysis/coverage.h"
#include "ui/theme.h"

#include <QLabel>
#include <QPushButton>

namespace ui {

/// A label of one of the three sizes in Ink or, with a tone, in another colour: "muted", "danger", "warn", "ok". Wraps when
/// asked to by its owner.
QLabel *newLabel(const QString &text, TextSize size = TextSize::Body, TextWeight weight = TextWeight::Normal,
    const char *tone = nullptr);

/// Gives an existing label another tone; null: Ink.
void setTone(QLabel *label, const char *tone);

/// The tone of what tells how far a recording can be trusted, and its colour: the same on all pages.
const char *toneOf(model::Trust trust);
Token tokenOf(model::Trust trust);

/// The button for the one thing to do here.
QPushButton *newPrimaryButton(const QString &text);

/// A button that reads as a link.
QPushButton *newLinkButton(const QString &text);

/// One line that is elided in the middle where there is no room, whole in its tool tip.
class ElidedLabel : public QWidget
{
    Q_OBJECT

public:
    explicit ElidedLabel(QWidget *parent = nullptr);

    void setText(const QString &text);
    const QString &text() const { return m_text; }
    void setToken(Token token);
    void setElideMode(Qt::TextElideMode mode);

    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;

protected:
    void paintEvent(QPaintEvent *event) override;

private:
    QString m_text;
    Token m_token = Token::Ink;
    Qt::TextElideMode m_mode = Qt::ElideMiddle;
};

/// A coloured dot before a word: state of a card, a capability, a recording.
class StateDot : public QWidget
{
    Q_OBJECT

public:
    explicit StateDot(Token token = Token::InkMuted, QWidget *parent = nullptr);

    void setToken(Token token);

protected:
    void paintEvent(QPaintEvent *event) override;

private:
    Token m_token;
};

} // namespace ui
