// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QFrame>

class QLabel;
class QPushButton;

namespace ui {

/// A line above the pages that says what is not as it should be: damage of the file, a recorder that fails, work that takes long.
class Banner : public QFrame
{
    Q_OBJECT

public:
    explicit Banner(QWidget *parent = nullptr);

    /// Shows `text`; empty hides the banner. `action` names the button; empty: none.
    void setText(const QString &text, const QString &action = {});

Q_SIGNALS:
    void actionWanted();

private:
    QLabel *m_text;
    QPushButton *m_action;
};

} // namespace ui
