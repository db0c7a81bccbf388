// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/analysis/growth_pattern.h"
#include "model/analysis/growth_stacks.h"
#include "model/report/text_report.h"

#include <iosfwd>
#include <vector>

namespace model {

/// A quantity, what it does, and the stacks that move with it.
struct SeriesGrowth
{
    SeriesSource source;
    GrowthShape shape;
    std::vector<GrowthStack> stacks;
};

/// The shape of each quantity of memory, threads and descriptors that was recorded, within the selection. Pure.
std::vector<SeriesGrowth> seriesGrowth(const Snapshot &snapshot);

// In the three forms of a report. They never fail; check the stream.
void writeGrowthText(std::ostream &out, const Snapshot &snapshot, const std::vector<SeriesGrowth> &growth,
    const TextReportOptions &options = {});
/// One row a quantity.
void writeGrowthCsv(std::ostream &out, const Snapshot &snapshot, const std::vector<SeriesGrowth> &growth);
void writeGrowthJson(std::ostream &out, const Snapshot &snapshot, const std::vector<SeriesGrowth> &growth);

} // namespace model
