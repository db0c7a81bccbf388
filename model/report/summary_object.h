// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/aggregate/cost_kind.h"
#include "model/heap/sample_weight.h"
#include "model/snapshot.h"

#include <nlohmann/json.hpp>

#include <functional>
#include <optional>

namespace model {

/// The summary as an object whose keys keep their order: what writeSummaryJson() writes, and writeSummaryCsv() flattened.
nlohmann::ordered_json summaryObject(const Snapshot &snapshot);

/// The part that says what a report is about: time and process.
nlohmann::ordered_json selectionObject(const Snapshot &snapshot);

/// Whether it is known what memory consisted of at its peak. Of mappings and pools only the peak of each is, without a moment; their sum is
/// the most that there may have been together.
bool knowsPeakOfStacks(const Snapshot &snapshot);

/// Totals of the heap, and of the CPU.
nlohmann::ordered_json heapTotalsObject(const Snapshot &snapshot);
nlohmann::ordered_json cpuTotalsObject(const Snapshot &snapshot);

/// Adds the 95 % intervals of sampled costs, as "live_bytes_interval95": [low, high]; `intervalOf` gives those that there are.
void addIntervals(
    nlohmann::ordered_json &object, const std::function<std::optional<ErrorInterval>(CostKind)> &intervalOf);

} // namespace model
