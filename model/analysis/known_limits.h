// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/analysis/forecast.h"

#include <optional>

namespace model {

/// A limit that a recording holds, and of whom.
struct KnownLimit
{
    ForecastLimit limit;
    std::optional<ProcessId>
        process; ///< it binds each process by itself, and this one is nearest to it; none: all together
};

/// What binds a quantity, as of the end of the selected time. Memory: the least of the control group's limit, and of what is available plus resident.
/// Virtual size and open files: the soft limits of the process that is nearest to its own (RLIMIT_AS, RLIMIT_NOFILE). Threads: the least of what
/// group, user and machine leave. Disk: the size of the file system. Empty for other quantities, and where none was recorded.
std::optional<KnownLimit> knownLimit(const Snapshot &snapshot, const SeriesSource &source);

/// The same of memory alone; empty for all else.
std::optional<ForecastLimit> memoryLimit(const Snapshot &snapshot, const SeriesSource &source);

/// By how much resident memory grew for each byte that the live heap grew by, in the second half of what is judged. Live bytes are requested
/// ones: below 1 some were never touched, above 1 small blocks cost more. Empty where the live heap grew by less than 1 MiB, or is not known.
std::optional<double> residentPerRequested(const Snapshot &snapshot);

/// Below it most of what is requested takes no memory: no limit of memory is one of the live heap.
inline constexpr double kMostlyResident = 0.5;

/// The metric that says how much there can be of a quantity other than memory; empty: it has no limit, or is memory.
std::optional<Metric> limitingMetric(const SeriesSource &source);

/// Whether there can be a limit for a quantity.
bool canHaveLimit(const SeriesSource &source);

/// Whether a quantity is a limit itself, and nothing that one would forecast.
bool isLimit(const SeriesSource &source);

} // namespace model
