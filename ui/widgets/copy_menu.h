// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <QString>

class QAbstractItemView;

namespace ui {

/// Gives a table or tree the menu of its right mouse button, and Ctrl+C: its selected row as text, or all rows that are shown, cells apart by tabs,
/// under their headings. For views that have no menu of their own.
void addCopyMenu(QAbstractItemView &view);

/// What "Copy table" copies: the columns that are shown, in their order; of a tree the rows that are open.
QString tableText(const QAbstractItemView &view);

} // namespace ui
