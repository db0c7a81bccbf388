// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QFrame>

class QLabel;
class QPushButton;

namespace ui {

/// A command in a fixed-width font, in as many lines as it needs, with a link that copies it whole.
class CodeLine : public QFrame
{
    Q_OBJECT

public:
    explicit CodeLine(const QString &command = {}, QWidget *parent = nullptr);

    void setCommand(const QString &command);
    const QString &command() const;

private:
    QString m_command;
    QLabel *m_label; ///< the command, broken into lines
    QPushButton *m_copy;
};

} // namespace ui
