// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/snapshot.h"

#include <nlohmann/json.hpp>

namespace model {

/// The summary as an object whose keys keep their order: what writeSummaryJson() writes, and writeSummaryCsv() flattened.
nlohmann::ordered_json summaryObject(const Snapshot &snapshot);

/// The part that says what a report is about: time and process.
nlohmann::ordered_json selectionObject(const Snapshot &snapshot);

/// Totals of the heap, and of the CPU.
nlohmann::ordered_json heapTotalsObject(const Snapshot &snapshot);
nlohmann::ordered_json cpuTotalsObject(const Snapshot &snapshot);

} // namespace model
