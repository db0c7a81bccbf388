// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/aggregate/time_series.h"
#include "model/snapshot.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace model {

/// A span in which the heap of an image was recorded in one way.
struct HeapModeSpan
{
    ImageId image;
    TimeRange span;               ///< up to the next change, or the end of the image or of the recording
    std::int64_t periodBytes = 1; ///< 1: every event
    HeapModeCause cause = HeapModeCause::Begin;
};

/// How the heaps of the selected images were recorded over the whole recording, by image, ascending in time.
std::vector<HeapModeSpan> heapModeSpans(const Snapshot &snapshot);

/// The changes from one way to another within `range`, by time. What is known of live memory before and after differs by a sampling error at
/// such a moment: no verdict on how it developed may be taken across it.
std::vector<HeapModeChange> heapStepsIn(const Snapshot &snapshot, TimeRange range);

/// The last part of `range` without such a change of any selected image; all of it where there is none.
TimeRange withoutHeapSteps(const Snapshot &snapshot, TimeRange range);

/// timeSeries() for judgements: of live memory only what came after the last such change in `range`; and nothing of the moment before the last
/// process ended, in which a program gives back what it holds: its last tick, and its last second where that is less than a tenth.
TimeSeries judgedSeries(const Snapshot &snapshot, const SeriesSource &source, TimeRange range,
    std::optional<ProcessId> process = std::nullopt);

/// How much longer a recording is than what judgedSeries() keeps of it, where the program ended with it.
Duration leftOutBehind(Duration judged, Duration tick);

/// The period that a change replaces: that of the image's change before; 1 for the first.
std::int64_t periodBefore(const Snapshot &snapshot, const HeapModeChange &change);

/// How the blocks of a process were recorded at `when`: the longest period of its images that ran; empty where none is known. `spans`: as
/// heapModeSpans() gives them.
std::optional<std::int64_t> heapPeriodAt(
    const Snapshot &snapshot, const std::vector<HeapModeSpan> &spans, ProcessId process, Timestamp when);

/// snake_case name of a cause: "over_budget"; and for people: "recording cost more than its budget".
std::string_view heapModeCauseKey(HeapModeCause cause);
std::string_view heapModeCauseWords(HeapModeCause cause);

/// Whether a part of what was recorded up to the end of the selection was recorded in full, and a part sampled.
bool isHeapPartlySampled(const Snapshot &snapshot);

/// Which part that was: "in full until 0:02.036, then one allocation each 64 KiB on average"; of several images, or many changes, how much of
/// their time. For heaps that isHeapPartlySampled() says it of.
std::string partlySampledWords(const Snapshot &snapshot);

/// A change as a sentence without its time and process: "from every allocation to samples, one of 64 KiB, as …".
std::string heapStepWords(const Snapshot &snapshot, const HeapModeChange &change);

} // namespace model
