// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/snapshot.h"

#include <cstddef>
#include <iosfwd>

namespace model {

/// How long the report is.
struct HtmlReportOptions
{
    std::size_t rows = 20; ///< most rows of a table
};

/// One page that anyone can open: answers, advice, charts, leaks, lost memory, flame graphs of heap and CPU, processes and losses of the
/// selection. UTF-8, in a single file that loads nothing from anywhere and runs no script but its own, which only draws and searches the
/// flame graphs; without scripts the tables say the same. What comes from the session (names, paths, arguments) stands escaped.
/// Never fails; check the stream. Seconds for a large session.
void writeSummaryHtml(std::ostream &out, const Snapshot &snapshot, const HtmlReportOptions &options = {});

} // namespace model
