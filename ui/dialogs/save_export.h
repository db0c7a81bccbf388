// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/base/result.h"
#include "ui/pages/page.h"

#include <memory>

namespace ui {

class BackgroundJob;

/// Writes an export to `path`, whole or not at all. What failed, on what, why and what to try is a sentence.
model::Result<void> writeExport(const Export &what, const QString &path);

/// What kind of file an export is: "CSV", "PNG", "HTML" or "JSON"; and how its name ends: ".csv".
QString exportKind(const Export &what);
QString exportEnding(const Export &what);

/// Asks where to save `what` and writes it there; says so in the status line, or why that failed, and asks again. The window's windowFilePath() is the session: the
/// file is named after it. An empty export is ignored: what it was made from is not there yet.
void saveExport(const Export &what, QWidget *parent);

/// Asks where to save the HTML report of `snapshot`, makes it in `job` and writes it; says why if that fails. `parent` outlives the job.
void saveReport(std::shared_ptr<const model::Snapshot> snapshot, BackgroundJob &job, QWidget *parent);

} // namespace ui
