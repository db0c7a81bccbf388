// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/passphrase.h"
#include "model/base/result.h"

#include <QString>
#include <QStringList>

class QApplication;

namespace app {

/// What `genesis-profiler --export DIR FILE` does: writes every page of the session as PNG, every table as CSV and the report as HTML into `folder`,
/// which is made, without showing a window. Returns the names of the files, in the order in which they were written. Needs an event loop
/// that is not running yet; several seconds for a large session. A sealed session needs its passphrase from where `passphrase` says; what is
/// written is in clear. With `before`, the session is compared with that one too, both opened by the same passphrase.
model::Result<QStringList> exportSession(QApplication &application, const QString &file, const QString &folder,
    const PassphraseSource &passphrase = {}, const QString &before = {});

} // namespace app
