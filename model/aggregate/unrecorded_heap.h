// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/snapshot.h"

#include <optional>
#include <string>

namespace model {

/// Whether anything is known of the heap of a process, or of all that are selected: one that was asked for and could not be traced is not
/// empty, it is not known.
bool isHeapRecorded(const Snapshot &snapshot, std::optional<ProcessId> process = std::nullopt);

/// Why nothing is known of the heap of what is selected, as a sentence: "The heap was not recorded: the program …". Empty where something is.
std::optional<std::string> whyNoHeap(const Snapshot &snapshot);

/// Whose heap the totals are of where some programs were not traced: "of dash and 6 more alone; of chromium nothing is known, see below". Empty
/// where they are of all.
std::string heapOwners(const Snapshot &snapshot);

} // namespace model
