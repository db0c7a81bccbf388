// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/snapshot.h"

#include <iosfwd>

namespace model {

/// What a session says now, as metrics in the text format of Prometheus (exposition format 0.0.4), for a scrape or for the text file collector:
///
/// - `genesis_memory_usage_bytes{pid,process,kind}`, gauge: kind is resident, anonymous, file, shared, swap, or live_heap (traced blocks).
/// - `genesis_memory_growth_rate{pid,process,kind}`, gauge: bytes per second, robust trend (robustTrend()) over the selected time; kind is
///   resident or live_heap. Missing where there are fewer than 12 blocks of data.
/// - `genesis_cpu_usage_percent{pid,process}`, gauge: of one core, in the last tick.
/// - `genesis_hot_path_duration_seconds{function,place,path}`, gauge: CPU time that went through the hottest paths (hotPaths()).
/// - allocations, frees, threads, alerts that fire, losses, and what the recorder itself uses.
///
/// Processes that still run, or the main one of a session that is complete; at most 64. Label values are escaped. Never fails.
void writePrometheus(std::ostream &out, const Snapshot &snapshot);

} // namespace model
