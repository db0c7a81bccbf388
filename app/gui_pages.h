// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "ui/main_window.h"

namespace app {

/// Puts all pages and the inspector into `window`, in the order of its list.
void addPages(ui::MainWindow &window, ui::Selection &selection);

} // namespace app
