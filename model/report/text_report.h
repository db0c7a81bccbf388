// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/aggregate/cost_kind.h"
#include "model/snapshot.h"

#include <cstddef>
#include <iosfwd>
#include <optional>

namespace model {

/// How long and wide a report is.
struct TextReportOptions
{
    std::size_t stacks = 10;  ///< most stacks, functions or rows of a list
    std::size_t rows = 0;     ///< of the summary's lists; 0: each its own number
    std::size_t columns = 80; ///< characters of a line; only paths and names in stacks may be longer
    /// Of areaSnapshot(): what the "heap" of the snapshot is made of; has no temporaries, and one peak for each area.
    std::optional<AreaKind> area;
};

// Reports for people: UTF-8, aligned, with units; each ends with what was lost. They never fail; check the stream.

/// What was recorded, the answers of the overview, totals, processes, and losses.
void writeSummaryText(std::ostream &out, const Snapshot &snapshot, const TextReportOptions &options = {});
/// Least, mean, greatest and last value of each metric of each process.
void writeMetricsText(std::ostream &out, const Snapshot &snapshot, const TextReportOptions &options = {});
/// Totals and the heaviest stacks with file and line; `kind` a heap cost.
void writeHeapText(std::ostream &out, const Snapshot &snapshot, CostKind kind, const TextReportOptions &options = {});
/// Totals, functions by self time with their interval, and the hot paths.
void writeCpuText(std::ostream &out, const Snapshot &snapshot, const TextReportOptions &options = {});
/// What was not seen, and what that means.
void writeLossesText(std::ostream &out, const Snapshot &snapshot, const TextReportOptions &options = {});

} // namespace model
