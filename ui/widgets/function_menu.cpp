// SPDX-License-Identifier: GPL-3.0-or-later
#include "ui/widgets/function_menu.h"

#include "ui/models/name_needle.h"
#include "ui/selection.h"

#include <QClipboard>
#include <QGuiApplication>
#include <QMenu>

namespace ui {

void addFunctionActions(QMenu &menu, Selection &selection, const QString &wholeName)
{
    menu.addAction(
        QMenu::tr("Copy function name"), &menu, [wholeName] { QGuiApplication::clipboard()->setText(wholeName); });
    menu.addAction(QMenu::tr("Find this function everywhere"), &menu,
        [&selection, wholeName] { selection.setFindText(NameNeedle::exactly(wholeName)); });
    menu.addAction(QMenu::tr("Clear the search"), &menu, [&selection] { selection.setFindText({}); })
        ->setEnabled(!selection.findText().isEmpty());
}

} // namespace ui
