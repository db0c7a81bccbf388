// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QWidget>

class QLabel;
class QPushButton;

namespace ui {

/// What stands where nothing can be shown yet: what will be here, and the one thing to do for it.
class EmptyState : public QWidget
{
    Q_OBJECT

public:
    explicit EmptyState(QWidget *parent = nullptr);

    /// `action` empty: no button. `other` is a second, quieter one.
    void setText(const QString &title, const QString &sentence, const QString &action = {}, const QString &other = {});
    /// The first line of `words` as the title, what follows as the sentence.
    void setWords(const QString &words, const QString &action = {});

Q_SIGNALS:
    void actionWanted();
    void otherActionWanted();

private:
    QLabel *m_title;
    QLabel *m_sentence;
    QPushButton *m_action;
    QPushButton *m_other;
};

} // namespace ui
