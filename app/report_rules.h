// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/report_arguments.h"

namespace app {

/// Whether each option has an effect on what was asked for. One that has none is refused, with a sentence that says where it has one: a number
/// that looks narrowed and is not would mislead. `options` is what readReport() understood of `words`.
model::Result<void> checkReportRules(const ReportWords &words, const ReportOptions &options);

/// Whether the report is a list of stacks that can be read page by page, from ReportOptions::offset on.
bool hasPages(const ReportOptions &options);

/// Refuses 0, and what is no number, for an option that counts rows.
CLI::Validator rowCount();

} // namespace app
