// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/search_field.h"

#include <QKeyEvent>
#include <QStyle>
#include <QStyleOptionFrame>

namespace ui {

SearchField::SearchField(const QString &hint, QWidget *parent)
    : QLineEdit(parent)
{
    setPlaceholderText(hint);
    setAccessibleName(hint);
    setClearButtonEnabled(true);
    setToolTip(tr("Part of a name; in quotes, functions of just that name: \"parse\""));
}

/// The same with a text as without: the button that clears it takes no room from what stands beside the field.
QSize SearchField::sizeHint() const
{
    constexpr int kLetters = 17, kMarginsPx = 4; // of every QLineEdit
    QStyleOptionFrame option;
    initStyleOption(&option);
    const QSize content(kLetters * fontMetrics().horizontalAdvance(u'x') + kMarginsPx, fontMetrics().height());
    const int width = style()->sizeFromContents(QStyle::CT_LineEdit, &option, content, this).width();
    return {width, QLineEdit::sizeHint().height()};
}

void SearchField::keyPressEvent(QKeyEvent *event)
{
    if (event->key() != Qt::Key_Escape) {
        QLineEdit::keyPressEvent(event);
        return;
    }
    clear();
    Q_EMIT left();
}

} // namespace ui
