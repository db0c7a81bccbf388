// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QFrame>

class QPushButton;

namespace ui {

class ElidedLabel;

/// A command in a fixed-width font with a link that copies it whole.
class CodeLine : public QFrame
{
    Q_OBJECT

public:
    explicit CodeLine(const QString &command = {}, QWidget *parent = nullptr);

    void setCommand(const QString &command);
    const QString &command() const;

private:
    ElidedLabel *m_label;
    QPushButton *m_copy;
};

} // namespace ui
