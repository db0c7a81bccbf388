// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/command_options.h"
#include "model/base/result.h"
#include "model/snapshot.h"
#include "storage/session_reader.h"

#include <iosfwd>
#include <memory>

namespace app {

/// What the report is about: the session as of the reader's last poll, under the time and process that were asked for. Fails with a sentence.
model::Result<std::shared_ptr<const model::Snapshot>> readForReport(
    storage::SessionReader &reader, const ReportOptions &options);

/// Writes what was asked for, for `genprof report` and for the HTTP API alike. Never fails; check the stream.
void writeReport(std::ostream &out, const model::Snapshot &snapshot, const ReportOptions &options);

} // namespace app
