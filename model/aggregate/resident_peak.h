// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/snapshot.h"

#include <optional>

namespace model {

/// The most that the selected processes had resident together within the selected time, in bytes: of one of them what the kernel says was most within a
/// tick, of the others what they had at its end. Processes may have had more at moments when nobody looked, never less. Empty: nothing was read.
std::optional<double> residentPeak(const Snapshot &snapshot);

/// What part of their resident memory is left when each page counts once, however many processes share it (PSS), where they had most of those moments
/// at which that was read; empty where it never was, or there is but one process.
std::optional<double> shareCountedOnce(const Snapshot &snapshot);

} // namespace model
