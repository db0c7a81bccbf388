// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QString>

class QMenu;

namespace ui {

class Selection;

/// Adds what can be done with a function wherever it stands: copy its name, find it on all pages, forget the search. Both must
/// outlive the menu.
void addFunctionActions(QMenu &menu, Selection &selection, const QString &wholeName);

} // namespace ui
