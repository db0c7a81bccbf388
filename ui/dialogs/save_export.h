// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/base/result.h"
#include "ui/pages/page.h"

namespace ui {

/// Writes an export to `path`, whole or not at all.
model::Result<void> writeExport(const Export &what, const QString &path);

/// Asks where to save `what` and writes it there; says why if that fails. An empty export is
/// ignored: what it was made from is not there yet.
void saveExport(const Export &what, QWidget *parent);

} // namespace ui
