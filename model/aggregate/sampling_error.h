// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/aggregate/cost_kind.h"
#include "model/heap/sample_weight.h"
#include "model/snapshot.h"

#include <optional>
#include <string>

namespace model {

/// The costs whose error is known, where the heap was sampled.
inline constexpr CostKind kCostsWithError[]
    = {CostKind::Live, CostKind::LiveBlocks, CostKind::Allocated, CostKind::Allocations};

/// Whether the heap was sampled at some time up to the end of the selection, so that its costs are estimates, at least in part.
bool isHeapSampled(const Snapshot &snapshot);

/// The 95 % interval of a stack's cost, of what was sampled of it; where nothing that is counted in the cost was, of what may have been there with
/// this period. Empty where the cost is exact, or is one whose error is not known (peaks, temporaries, frees).
std::optional<ErrorInterval> errorOf(const HeapCost &row, CostKind kind, std::int64_t periodBytes);

/// The 95 % interval of the whole selection's cost, with what no sample stands for: stacks that were never sampled, and blocks so small that hardly
/// any was. The errors of stacks are independent, so their variances add up. Empty where the heap was not sampled, and as above.
std::optional<ErrorInterval> errorOf(const Snapshot &snapshot, CostKind kind);

/// Whether the peak is an estimate: not where all was recorded in full until then.
bool isPeakSampled(const Snapshot &snapshot);

/// The 95 % interval of the bytes at the peak: that of what is live at the end where this is the peak, else an upper bound of it, as if all had
/// been sampled with the longest period. Empty where the peak was counted.
std::optional<ErrorInterval> peakError(const Snapshot &snapshot);

/// The longest period with which it was sampled so far, in bytes.
std::int64_t longestPeriod(const Snapshot &snapshot);

/// Sampled allocations that were recorded in the selection.
std::int64_t sampleCount(const Snapshot &snapshot);

/// An interval for people, in the unit of `kind`: "1.1–1.3 GiB".
std::string intervalText(const ErrorInterval &interval, CostKind kind);

} // namespace model
