// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/base/computed_once.h"
#include "model/event_batch.h"
#include "model/selection.h"
#include "model/tables/program_tables.h"

#include <memory>
#include <string>
#include <vector>

namespace model {

struct LeakReport;

/// What one stack of one image cost within the selected time.
struct HeapCost
{
    ImageId image;
    StackId stack;
    std::int64_t allocations = 0;
    std::int64_t allocatedBytes = 0;
    std::int64_t frees = 0;
    std::int64_t freedBytes = 0;
    std::int64_t temporaries = 0;
    std::int64_t temporaryBytes = 0;
    std::int64_t liveBytes = 0; ///< at the end of the selected time, whenever allocated
    std::int64_t liveBlocks = 0;
    std::int64_t liveBytesAtBegin = 0; ///< at the begin of the selected time
    std::int64_t liveBlocksAtBegin = 0;
    std::int64_t peakBytes = 0; ///< at the selection's peak, see HeapSummary::peakIsExact
    std::int64_t peakBlocks = 0;
    // Where bytes were sampled, else 0: allocations recorded in the selection, and variances of what the names say.
    std::int64_t samples = 0;
    double allocationVariance = 0;
    double allocatedVariance = 0; ///< bytes²
    double liveBlockVariance = 0;
    double liveVariance = 0; ///< bytes²
};

/// An area of memory beside malloc's heap within the selection, with what each of its stacks cost.
struct MemoryArea
{
    ImageId image;
    AreaKind kind = AreaKind::Mapping;
    StringId name;
    HeapCost total;              ///< of no stack; `peakBytes` is the greatest of the selection
    std::vector<HeapCost> costs; ///< without peaks and temporaries
};

struct CpuCost
{
    ThreadId thread;
    ImageId image;
    StackId stack;
    std::int64_t samples = 0;
    std::int64_t timeNs = 0; ///< samples × their period
};

/// What a thread did at one stack within the selected time: counts begun in it, time that passed in it.
using ActivityCost = ActivityDelta;

/// One process's metrics over the whole recording (not only the selection): `values[i]` was read at `times[i]`, ascending.
struct MetricSeries
{
    ProcessId process;
    std::vector<Timestamp> times;
    std::vector<MetricValues> values;
};

/// What one process's resident memory consisted of, over the whole recording: ascending in time.
struct MemoryPartsSeries
{
    ProcessId process;
    std::vector<Timestamp> times;
    std::vector<MemoryPartsRow> values;
};

/// One image's heap over the whole recording: `ticks[i]` covers `spans[i]`, ascending.
struct HeapSeries
{
    ImageId image;
    std::vector<TimeRange> spans;
    std::vector<HeapTick> ticks;
};

/// CPU samples over the whole recording, per process and tick.
struct CpuSeries
{
    ProcessId process;
    std::vector<TimeRange> spans;
    std::vector<std::int64_t> samples;
    std::vector<std::int64_t> timeNs;
};

/// Allocations by time and size: one row per (tick, bin) of the selected images, whole recording, ascending in time.
struct HeapSizeCell
{
    TimeRange span;
    std::uint16_t bin = 0;
    std::int64_t allocations = 0;
    std::int64_t bytes = 0;
};

/// How the live set of one stack developed over the selection: the evidence that it grows. Kept only for the stacks that
/// matter most, see Snapshot::heapGrowth.
struct HeapGrowth
{
    ImageId image;
    StackId stack;
    std::vector<std::int64_t> liveBytes; ///< at Snapshot::growthTimes[i]
    std::vector<std::int64_t> liveBlocks;
};
inline constexpr std::size_t kGrowthMoments = 24; ///< most moments in Snapshot::growthTimes
inline constexpr std::size_t kGrowthStacks = 200; ///< most rows in Snapshot::heapGrowth

/// Totals of the selected images and time.
struct HeapSummary
{
    std::int64_t allocations = 0;
    std::int64_t allocatedBytes = 0;
    std::int64_t frees = 0;
    std::int64_t freedBytes = 0;
    std::int64_t temporaries = 0;
    std::int64_t unknownFrees = 0; ///< of blocks from before an attach or fork, which are in no other figure
    std::int64_t liveBytes = 0;    ///< at the end of the selection
    std::int64_t liveBlocks = 0;
    std::int64_t peakBytes
        = 0; ///< greatest within the selection, of images that lived at the same time together, see commonPeak()
    std::int64_t peakBlocks = 0;
    Timestamp peakWhen; ///< of the image that held most of it
    /// Several images changed in the tick in which they held most: together it was at most so much, as their own most may be of other moments.
    bool peakIsBound = false;
    bool peakIsExact = false; ///< else it is composed as at the end of the tick that holds it
};

/// Samples and losses of the selected threads and time.
struct CpuSummary
{
    std::int64_t samples = 0;
    std::int64_t timeNs = 0;
    std::int64_t lost = 0;
};

struct LossTotal
{
    LossKind kind = LossKind::EventsDropped;
    ImageId image;
    std::int64_t count = 0;
    std::string detail;
    TimeRange span; ///< first to last tick in which it happened
};

/// How well the distinct stacks and the events on them were walked, over the selection.
struct StackQuality
{
    std::int64_t distinct = 0; ///< stacks with a cost in the selection
    std::int64_t truncated = 0;
    std::int64_t broken = 0; ///< no unwind information, bad rule, unreadable
};

/// How finely a part of the recording is kept: selections are snapped to such steps, and are exact for them.
struct Resolution
{
    TimeRange span;
    Duration step; ///< 0: tick by tick, as recorded
};

/// An immutable view of a session under one selection: all that pages, analyses and reports are made from. Made by
/// storage::SessionReader; shared between threads as `std::shared_ptr<const Snapshot>`.
struct Snapshot
{
    SessionInfo info;
    std::string file; ///< path it was read from
    std::int64_t fileBytes = 0;
    std::shared_ptr<const ProgramTables> tables = std::make_shared<const ProgramTables>();
    Selection selection;
    TimeRange span; ///< what `selection.time` was snapped to; the whole recording without one
    /// Ascending, whole recording; where ticks are not kept any more, ends of the longer steps that they were merged into. All series have
    /// these steps.
    std::vector<Timestamp> tickEnds;
    std::vector<Resolution> resolutions; ///< ascending, whole recording
    std::string coarsened; ///< what is kept less finely than usual, and why, as sentences; empty when nothing is
    std::vector<MetricSeries> metrics;
    std::vector<HeapSeries> heapSeries;
    /// How the heaps of the selected images were recorded, over the whole recording, ascending in image and time. Empty in files from before
    /// version 8: then SessionInfo::config says it of all.
    std::vector<HeapModeChange> heapModes;
    std::vector<CpuSeries> cpuSeries;
    std::vector<HeapSizeCell> heapSizes;
    std::vector<HeapCost> heap;           ///< one row per (image, stack) with any cost
    std::vector<CpuCost> cpu;             ///< one row per (thread, image, stack) with any sample
    std::vector<ActivityCost> activities; ///< system calls and waits: one row per (thread, image, stack, activity)
    /// Ends of ticks, ascending, as equally spaced over `span` as is quickly found (in long selections at ends of whole minutes or ten
    /// minutes); the last one is the end of `span`. All tick ends of the selection where there are at most kGrowthMoments of them. Empty
    /// without heap data.
    std::vector<Timestamp> growthTimes;
    /// The kGrowthStacks (image, stack) pairs of `heap` with the greatest liveBytes − liveBytesAtBegin above 0, greatest first; of an image that
    /// has ended before, times the share of the selected time that it lived. liveBytes at a moment = liveBytesAtBegin + sum of (allocated − freed)
    /// of the ticks of the selection that ended by then; 0 where the image had ended by the moment before.
    std::vector<HeapGrowth> heapGrowth;
    /// How blocks aged and died by stack, over the whole recording; null where nobody asked for it, see storage::SessionReader.
    std::shared_ptr<const HeapAges> heapAges;
    HeapSummary heapSummary;
    CpuSummary cpuSummary;
    StackQuality stackQuality;
    std::vector<LossTotal> losses; ///< whole recording
    std::vector<Mark> marks;
    std::vector<Gap> gaps;
    std::vector<AlertEvent> alerts; ///< whole recording, ascending in when they fired
    std::vector<Phase> phases;      ///< whole recording, ascending in begin
    std::vector<MemoryArea> areas;  ///< of the selected images, where they cost anything
    std::vector<MemoryPartsSeries> memoryParts;
    std::vector<std::shared_ptr<const MemoryScan>>
        scans;                         ///< of the selected images, whole recording, in the order of their ids
    std::vector<LeakClaim> leakClaims; ///< whole recording, all images, ascending in when they were made
    std::shared_ptr<const SoakRecord>
        soak; ///< the stability test that this session is a leg of, with all that came before; null: none
    /// The same session from the end of that test's warm-up on (soakGrowthSpan()), where nothing is selected; null without a test, and where
    /// heapAges is.
    std::shared_ptr<const Snapshot> afterWarmup;
    std::string damage;             ///< what is not whole in the file, as sentences; empty when all is
    std::int64_t recorderCpuNs = 0; ///< used by the recorder over the whole recording
    std::int64_t recorderRssBytes = 0;
    ComputedOnce<LeakReport> leaks; ///< see leaksOf()
};

} // namespace model
