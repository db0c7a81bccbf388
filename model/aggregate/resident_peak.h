// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/snapshot.h"

#include <optional>
#include <vector>

namespace model {

/// The most that the selected processes had resident together within the selected time, in bytes: of one of them what the kernel says was most within a
/// tick, of those that lived with it what they had at its end. Processes may have had more at moments when nobody looked, never less. Empty: nothing was read.
std::optional<double> residentPeak(const Snapshot &snapshot);

/// The resident memory of all selected processes at a moment, as the kernel counts it for each, and with each page once (PSS).
struct CountedOnce
{
    Timestamp when;
    double resident = 0; ///< bytes
    double once = 0;
};

/// The moments of the selected time at which that was read of all of them (but for 5 % of their memory), ascending.
std::vector<CountedOnce> countedOnce(const Snapshot &snapshot);

/// What part of their resident memory is left when each page counts once, however many processes share it (PSS), where they had most of those moments
/// at which that was read of all; empty where they had half of the peak at none of these, or there is but one process.
std::optional<double> shareCountedOnce(const Snapshot &snapshot);

} // namespace model
