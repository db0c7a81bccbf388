// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/report/text_report.h"

#include <iosfwd>

namespace model {

/// The processes with the programs they ran; those of a program that ran many times as one row, where not all fit.
void writeProcesses(std::ostream &out, const Snapshot &snapshot, const TextReportOptions &options);

} // namespace model
