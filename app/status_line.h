// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/recording/recording_status.h"

#include <cstddef>
#include <string>

namespace app {

/// A recording in one line: "● 00:00:12  rss 41.2 MiB  heap 12.3 MiB (+1.1 MiB)  cpu 96 %  1.2 M allocs  0 lost  12 KiB file".
/// What is not known is left out. Where `columns` are too few, the change of the heap goes first, then the allocations.
std::string statusLine(const capture::RecordingStatus &status, std::size_t columns);

/// The same on several lines with names, for `genprof ctl FILE status`.
std::string statusText(const capture::RecordingStatus &status);

/// What was recorded, in one line: "12 s recorded, 1,200 allocations (heap of 1 of 2 programs), 2,389 CPU samples, 3 LOST (see …)".
/// `heapOf`: what stands in the brackets; empty: none.
std::string recordedText(const capture::RecordingStatus &status, const std::string &heapOf);

} // namespace app
