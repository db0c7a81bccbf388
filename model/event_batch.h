// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/activity.h"
#include "model/base/format_units.h"
#include "model/base/ids.h"
#include "model/base/time_range.h"
#include "model/heap/heap_ages.h"
#include "model/heap/heap_counts.h"
#include "model/memory_scan.h"
#include "model/metrics.h"
#include "model/session_info.h"
#include "model/soak_record.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace model {

/// The metrics of one process at the end of a tick.
struct MetricsRow
{
    ProcessId process;
    MetricValues values;
};

/// What changed in a tick at one stack of one image. Counts are since the last tick; a live set is their running sum.
/// Bytes are requested bytes. `periodBytes` is the sampling period the counts were taken with; 1 = every event. With
/// more, counts and bytes are estimates; see HeapSamplingDelta.
struct HeapDelta
{
    ImageId image;
    StackId stack;
    std::int64_t allocations = 0;
    std::int64_t allocatedBytes = 0;
    std::int64_t frees
        = 0; ///< of blocks that this stack allocated, whoever freed them; below 0 where a HeapModeChange raised live
    std::int64_t freedBytes = 0;
    std::int64_t temporaries = 0; ///< allocations freed before the same thread's next allocation
    std::int64_t temporaryBytes = 0;
    std::int64_t periodBytes = 1;
};

/// How sure the HeapDelta of the same image, stack and period is; only where bytes were sampled.
struct HeapSamplingDelta
{
    ImageId image;
    StackId stack;
    HeapSampling sampling;
    std::int64_t periodBytes = 1;
};

/// Why the way in which an image's blocks are recorded began.
enum class HeapModeCause : std::uint8_t {
    Begin = 0,  ///< with the image
    User = 1,   ///< somebody asked for it
    Budget = 2, ///< recording cost more than it may
    Waits = 3,  ///< threads of the target had to wait for the recorder, or events were lost
};

/// From a moment on an image's blocks are recorded in this way, until the next row of the image.
struct HeapModeChange
{
    ImageId image;
    Timestamp when;
    std::int64_t periodBytes = 1; ///< as in HeapDelta
    HeapModeCause cause = HeapModeCause::Begin;
    /// Live memory as it was known until then, and as it is estimated from then on. They differ, with this variance (bytes²), where
    /// the live blocks were thinned from all to samples.
    std::int64_t liveBytesBefore = 0;
    std::int64_t liveBlocksBefore = 0;
    std::int64_t liveBytesAfter = 0;
    std::int64_t liveBlocksAfter = 0;
    double liveVariance = 0;
};

/// The heap of an image over one tick.
struct HeapTick
{
    ImageId image;
    std::int64_t liveBytes = 0; ///< at the end of the tick
    std::int64_t liveBlocks = 0;
    std::int64_t leastLiveBytes = 0; ///< within the tick
    std::int64_t mostLiveBytes = 0;
    std::int64_t allocations = 0; ///< in the tick
    std::int64_t allocatedBytes = 0;
    std::int64_t frees = 0;
    std::int64_t freedBytes = 0;
    std::int64_t temporaries = 0;
    std::int64_t unknownFrees = 0; ///< frees of blocks allocated before tracing began (attach, fork)
};

/// Allocations of a tick by size: bin as sizeBin() of model/heap/size_bins.h gives it.
struct HeapSizeDelta
{
    ImageId image;
    std::uint16_t bin = 0;
    std::int64_t allocations = 0;
    std::int64_t bytes = 0;
};

/// Blocks freed in a tick by age: bin b holds lifetimes in [2^b, 2^(b+1)) µs; bin 0 also everything shorter.
struct HeapLifetimeDelta
{
    ImageId image;
    std::uint16_t bin = 0;
    std::int64_t frees = 0;
    std::int64_t bytes = 0;
};

/// A change of what the heap consisted of at its highest moment: absolute values for stacks that differ from what was last sent.
struct HeapPeakRow
{
    ImageId image;
    StackId stack;
    std::int64_t bytes = 0;
    std::int64_t blocks = 0;
};

/// The highest moment of an image's heap so far; sent in each tick in which it rose, with its HeapPeakRows.
struct HeapPeak
{
    ImageId image;
    Timestamp when;
    std::int64_t bytes = 0;
    std::int64_t blocks = 0;
};

/// CPU samples of a tick at one stack of one thread.
struct CpuDelta
{
    ThreadId thread;
    ImageId image;
    StackId stack;
    std::int64_t samples = 0;
    std::int64_t periodNs = 0; ///< CPU time that one sample stands for
};

/// What was not seen, by cause. Shown wherever a result depends on it.
enum class LossKind : std::uint8_t {
    EventsDropped = 0, ///< heap events a full ring could not take
    SamplesLost = 1,   ///< CPU samples the kernel could not deliver
    SamplesThrottled = 2,
    StacksTruncated = 3, ///< heap or CPU stacks that ended before the thread's start, by StackEnd
    StacksNoUnwindInfo = 4,
    StacksBadRule = 5,
    StacksUnreadable = 6,
    StackTableFull = 7,
    UnknownFrees = 8,
    MetricsUnreadable = 9,
    HeapNotTraced = 10, ///< count 1 an image
    BadRecords = 11,    ///< bytes from a ring that were no record
    TicksDelayed = 12,  ///< the recorder fell behind by more than a tick
    ProcessesMissed = 13,
    SamplesMissed = 14,  ///< CPU samples not taken of threads that ran and ended between two
    CallsEstimated = 15, ///< system calls that came too often to be recorded one by one; see ActivityDelta::estimated
    ActivityLost = 16,   ///< records of system calls and waits that the kernel could not deliver
};
inline constexpr std::size_t kLossKindCount = 17;

/// snake_case name of a loss, as in the session and in reports: "events_dropped".
std::string_view lossKey(LossKind kind);
/// The same for people: "Heap events dropped".
std::string_view lossLabel(LossKind kind);

struct Loss
{
    LossKind kind = LossKind::EventsDropped;
    ImageId image; ///< invalid: not of one image
    std::int64_t count = 0;
    std::string detail; ///< e.g. the module or the reason; may be empty
};

/// A moment somebody named, or the recorder did, or the program itself.
enum class MarkKind : std::uint8_t { User = 0, Process = 1, Alert = 2, Program = 3 };
struct Mark
{
    Timestamp when;
    MarkKind kind = MarkKind::User;
    std::string text;
};

/// A rule whose condition held long enough, with the values that made it fire.
struct AlertEvent
{
    std::uint32_t id = 0;  ///< the same when it is told again, because it has ended
    std::string rule;      ///< name
    std::string source;    ///< key of what was looked at: "rss_bytes"
    std::string condition; ///< in words
    Timestamp began;       ///< when the condition began to hold
    Timestamp fired;
    std::optional<Timestamp> ended; ///< none: it goes on
    double value = 0;               ///< when it fired, in `unit`
    double worst = 0;               ///< since then
    double threshold = 0;
    Unit unit = Unit::Count; ///< of value, worst and threshold
};

/// A stack that was accused of leaking while it was recorded, and what became of the blocks that it was accused of keeping.
struct LeakClaim
{
    ImageId image;
    StackId stack;
    std::uint32_t part = 0; ///< as of StackAges
    Timestamp accused;
    std::int64_t accusedOf = 0; ///< old blocks that were alive then
    std::int64_t alive = 0;     ///< of those, still
    /// When more than half of them had been freed: the accusation was wrong. None: it stands.
    std::optional<Timestamp> withdrawn;
};

/// A span of a thread that the program named. Phases of a thread nest.
struct Phase
{
    std::uint32_t id = 0; ///< the same when it is told again, because it has ended
    ThreadId thread;
    std::uint32_t depth = 0; ///< phases of the thread that it lies in
    std::string name;
    Timestamp begin;
    std::optional<Timestamp> end; ///< none: it goes on
};

/// Memory that is counted apart from malloc's blocks.
enum class AreaKind : std::uint8_t {
    Mapping = 0, ///< what the program asked the kernel for; by the name of its sort
    Pool = 1,    ///< a pool of the program, as it tells through the API header
};

/// An area at the end of a tick; only of ticks in which it changed.
struct AreaTick
{
    ImageId image;
    AreaKind kind = AreaKind::Mapping;
    StringId name;
    std::int64_t liveBytes = 0;
    std::int64_t liveBlocks = 0;
    std::int64_t mostLiveBytes = 0; ///< within the tick
};

/// What changed in a tick in one area at one stack. Bytes of mappings are whole pages.
struct AreaDelta
{
    ImageId image;
    AreaKind kind = AreaKind::Mapping;
    StringId name;
    StackId stack;
    std::int64_t allocations = 0;
    std::int64_t allocatedBytes = 0;
    std::int64_t frees = 0;
    std::int64_t freedBytes = 0;
};

/// What the resident memory of a process consists of at the end of a tick, in bytes. Resident pages only; together its RSS.
struct MemoryPartsRow
{
    ProcessId process;
    std::int64_t heap = 0;     ///< the allocator's mappings
    std::int64_t mappings = 0; ///< anonymous memory that the program mapped itself
    std::int64_t stacks = 0;   ///< of its threads
    std::int64_t files = 0;    ///< mapped files: code, data, and private copies of their pages
    std::int64_t shared = 0;   ///< shared memory
    std::int64_t tracer = 0;   ///< our own: rings, stack tree, caches
    std::int64_t unknown = 0;  ///< the rest
    bool isMeasured = false;   ///< read page by page in this tick; else carried on by the kernel's three counters
};

/// A span in which nothing (or less) was recorded.
enum class GapKind : std::uint8_t { Paused = 0, TargetStopped = 1, RecorderStopped = 2 };
struct Gap
{
    TimeRange span;
    GapKind kind = GapKind::Paused;
};

/// What one tick of a recording adds. Filled by the instruments, written in one transaction. Ids refer to the recorder's
/// TableBuilder, whose new rows are written in the same transaction.
struct EventBatch
{
    TimeRange span;
    std::vector<MetricsRow> metrics;
    std::vector<HeapDelta> heap; ///< at most one row per (image, stack, period)
    std::vector<HeapSamplingDelta> heapSampling;
    std::vector<HeapModeChange> heapModes;
    std::vector<HeapTick> heapTicks;
    std::vector<HeapSizeDelta> heapSizes;
    std::vector<HeapLifetimeDelta> heapLifetimes;
    std::vector<HeapPeak> heapPeaks;
    std::vector<HeapPeakRow> heapPeakRows;
    std::vector<AgeClock> ageClocks;       ///< of images in which a bucket of ages ended
    std::vector<StackAges> stackAges;      ///< what changed since they were last sent
    std::vector<CpuDelta> cpu;             ///< at most one row per (thread, image, stack)
    std::vector<ActivityDelta> activities; ///< at most one row per (thread, image, stack, activity)
    std::vector<Loss> losses;
    std::vector<Mark> marks;
    std::vector<Gap> gaps;
    std::vector<AlertEvent> alerts; ///< fired, ended or worse in this tick; the last row of an id holds
    std::vector<Phase> phases;      ///< begun or ended in this tick; the last row of an id holds
    std::vector<AreaTick> areaTicks;
    std::vector<AreaDelta> areas; ///< at most one row per (image, kind, name, stack)
    std::vector<MemoryPartsRow> memoryParts;
    std::vector<MemoryScan> scans; ///< that were finished in this tick
    std::vector<LeakClaim>
        leakClaims;                 ///< made or withdrawn in this tick; the last row of an (image, stack, part) holds
    std::string disk;               ///< SessionInfo::disk, where it has changed
    SoakRecord soak;                ///< of a stability test: what is new or changed
    std::int64_t recorderCpuNs = 0; ///< CPU time the recorder itself used in the tick
    std::int64_t recorderRssBytes = 0; ///< its resident memory at the end
};

} // namespace model
