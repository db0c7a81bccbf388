// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QLineEdit>

namespace ui {

/// A field to search with: Esc empties it and says that it was left, so that the keys go back to what was searched.
class SearchField : public QLineEdit
{
    Q_OBJECT

public:
    /// `hint` stands in the empty field, and is its name for those who do not see it.
    explicit SearchField(const QString &hint, QWidget *parent = nullptr);

    QSize sizeHint() const override;

Q_SIGNALS:
    void left();

protected:
    void keyPressEvent(QKeyEvent *event) override;
};

} // namespace ui
