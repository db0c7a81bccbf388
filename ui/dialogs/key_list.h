// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

class QWidget;

namespace ui {

/// Shows the keys and the gestures that work in the window, until it is closed.
void showKeys(QWidget *parent);

} // namespace ui
