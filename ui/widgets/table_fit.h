// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

class QAbstractItemView;
class QTreeView;

namespace ui {

/// Makes a list or table with headings as high as `rows` of its rows, between `least` and `most` of them: no empty room stands below
/// a short one, and a long one scrolls. For pages that scroll as a whole.
void fitHeight(QAbstractItemView &view, int rows, int least, int most);

/// Widths by content for all columns but the last, which takes what is left: its content, or at least a fifth of the width. The first gets at
/// most `mostShare` of the width, others a quarter; where that is still too much, the widest give way.
void fitColumns(QTreeView &view, double mostShare);

} // namespace ui
