// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/event_batch.h"
#include "model/snapshot.h"
#include "storage/info_rows.h"
#include "storage/packed_costs.h"
#include "storage/prefix_sums.h"
#include "storage/tick_index.h"

#include <map>
#include <memory>
#include <optional>
#include <tuple>
#include <vector>

namespace storage {

/// Heap costs of (image, stack).
struct HeapKey
{
    std::uint32_t image = 0;
    std::uint32_t stack = 0;
    friend bool operator==(const HeapKey &, const HeapKey &) = default;
};

struct HeapSums
{
    std::int64_t allocations = 0, allocatedBytes = 0, frees = 0, freedBytes = 0, temporaries = 0, temporaryBytes = 0;

    void add(const HeapSums &other);
    void subtract(const HeapSums &other);
    std::int64_t liveBytes() const;
    std::int64_t liveBlocks() const;
    bool isZero() const;
};

/// How sure HeapSums are, where bytes were sampled.
struct SamplingSums
{
    model::HeapSampling sampling;

    void add(const SamplingSums &other) { sampling += other.sampling; }
    void subtract(const SamplingSums &other) { sampling -= other.sampling; }
};

/// CPU costs of (thread, image, stack).
struct CpuKey
{
    std::uint32_t thread = 0;
    std::uint32_t image = 0;
    std::uint32_t stack = 0;
    friend bool operator==(const CpuKey &, const CpuKey &) = default;
};

struct CpuSums
{
    std::int64_t samples = 0, timeNs = 0;

    void add(const CpuSums &other);
    void subtract(const CpuSums &other);
    bool isZero() const { return samples == 0 && timeNs == 0; }
};

/// System calls and waits of (thread, image, activity, stack).
struct ActivityKey
{
    std::uint32_t thread = 0;
    std::uint32_t image = 0;
    std::uint32_t activity = 0;
    std::uint32_t stack = 0;
    friend bool operator==(const ActivityKey &, const ActivityKey &) = default;
};

struct ActivitySums
{
    std::int64_t count = 0, timeNs = 0, errors = 0, bytes = 0, ownStacks = 0, estimated = 0;

    void add(const ActivitySums &other);
    void subtract(const ActivitySums &other);
    bool isZero() const { return count == 0 && timeNs == 0; }
};

struct KeyHash
{
    std::size_t operator()(const HeapKey &key) const noexcept;
    std::size_t operator()(const CpuKey &key) const noexcept;
    std::size_t operator()(const ActivityKey &key) const noexcept;
};

/// The highest moment of an image's heap.
struct PeakRow
{
    model::HeapPeak peak;
    std::vector<model::HeapPeakRow> rows;
};

struct SizeRow
{
    std::size_t tick = 0; ///< position in TickIndex
    model::HeapSizeDelta delta;
};

/// CPU samples of one thread in the ticks in which it had any.
struct ThreadSamples
{
    std::vector<std::size_t> ticks; ///< positions in TickIndex, ascending
    std::vector<CpuSums> sums;
};

struct LostSamples
{
    std::size_t tick = 0;
    std::int64_t count = 0;
};

/// Which area of memory: of an image, of a kind, by its name's string.
struct AreaKey
{
    std::uint32_t image = 0;
    model::AreaKind kind = model::AreaKind::Mapping;
    std::uint32_t name = 0;
    friend auto operator<=>(const AreaKey &, const AreaKey &) = default;
};

/// An area, and the ticks in which it changed.
struct LoadedArea
{
    struct Tick
    {
        std::size_t tick = 0; ///< position in TickIndex
        std::int64_t liveBytes = 0;
        std::int64_t mostLiveBytes = 0;
    };
    AreaKey key;
    std::vector<Tick> ticks;
};

/// Histories of ages, as they are in the file.
struct LoadedAges
{
    std::int64_t revision = -1;                      ///< what it and earlier ones wrote is here
    std::map<std::uint32_t, model::AgeClock> clocks; ///< by image
    std::map<std::tuple<std::uint32_t, std::uint32_t, std::uint32_t>, model::StackAges>
        stacks; ///< by image, stack, part
};

/// From which moment on a level is kept, and for how long.
struct LevelRow
{
    std::int64_t keptFromNs = 0;
    std::int64_t keepNs = 0; ///< 0: for ever
    std::int64_t usualKeepNs = 0;
    friend bool operator==(const LevelRow &, const LevelRow &) = default;
};
using LevelRows = std::array<LevelRow, kLevelCount>;

/// What a reader keeps of a session between polls: the tables, the series, and some sums of the costs; not the costs themselves.
struct LoadedSession
{
    StoredInfo stored;
    std::int64_t format = 0; ///< version of the file
    LevelRows levels;
    std::shared_ptr<model::ProgramTables> tables = std::make_shared<model::ProgramTables>();
    std::vector<std::uint32_t> stackDepths; ///< parallel to tables->stacks
    TickIndex ticks;
    std::vector<model::MetricSeries> metrics; ///< in order of first sight
    std::map<std::uint32_t, model::HeapSeries> heapSeries;
    std::vector<SizeRow> heapSizes;
    std::map<std::uint32_t, ThreadSamples> threadSamples;
    std::map<std::uint32_t, PeakRow> peaks; ///< by image
    std::map<std::tuple<int, std::uint32_t, std::string>, model::LossTotal> losses;
    std::vector<LostSamples> lostSamples;
    std::int64_t lastLoss = 0, lastMark = 0, lastGap = 0, lastHeapMode = 0; ///< ids
    std::vector<model::Mark> marks;
    std::vector<model::Gap> gaps;
    std::vector<model::HeapModeChange> heapModes;
    std::int64_t recorderCpuNs = 0;
    std::int64_t recorderRssBytes = 0;
    PrefixSums<HeapKey, HeapSums, KeyHash> heap;
    PrefixSums<HeapKey, SamplingSums, KeyHash> heapSampling;
    bool hasSampling = false; ///< not every event was recorded
    std::array<std::vector<std::int64_t>, kPackedKinds.size()>
        totals; ///< by kind of packed costs: the buckets after which totals stand in the file
    PrefixSums<CpuKey, CpuSums, KeyHash> cpu;
    PrefixSums<ActivityKey, ActivitySums, KeyHash> activity;
    std::map<AreaKey, std::uint32_t> areaNumbers; ///< positions in `areas`
    std::vector<LoadedArea> areas;
    PrefixSums<HeapKey, HeapSums, KeyHash> areaCosts; ///< by (position in `areas`, stack)
    std::map<std::int64_t, model::AlertEvent> alerts; ///< by id
    std::map<std::tuple<std::uint32_t, std::uint32_t, std::uint32_t>, model::LeakClaim>
        leakClaims;                                                ///< by image, stack, part
    LoadedAges ages;                                               ///< brought up to date only when they are asked for
    std::map<std::int64_t, model::Phase> phases;                   ///< by id
    std::map<std::uint32_t, model::MemoryPartsSeries> memoryParts; ///< by process
    std::shared_ptr<const model::SoakRecord> soak;                 ///< null: none
    std::int64_t lastScan = 0;                                     ///< id
    std::vector<std::shared_ptr<const model::MemoryScan>> scans;   ///< by id
};

/// a + b, or the nearest number that can be stored: sums over a hostile file must not overflow.
std::int64_t saturatedSum(std::int64_t a, std::int64_t b);
std::int64_t saturatedDifference(std::int64_t a, std::int64_t b);

/// In files without levels all there is are ticks.
inline bool hasLevels(const LoadedSession &session) { return session.format >= kFirstFormatWithLevels; }

} // namespace storage
