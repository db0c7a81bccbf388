// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/snapshot_builder.h"

#include "model/aggregate/common_peak.h"
#include "storage/cost_loader.h"
#include "storage/snapshot_areas.h"
#include "storage/snapshot_series.h"

#include <algorithm>
#include <list>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace storage {

namespace {

using model::Result;
using HeapValues = decltype(LoadedSession::heap)::Shared;
using CpuValues = decltype(LoadedSession::cpu)::Shared;

constexpr std::uint32_t kNoRow = UINT32_MAX;

/// What a slot of `values` holds; slots seen later hold nothing.
template <typename Sums> Sums at(const std::shared_ptr<const std::vector<Sums>> &values, std::size_t slot)
{
    return slot < values->size() ? (*values)[slot] : Sums{};
}

class SnapshotBuilder
{
public:
    SnapshotBuilder(Database &database, const Damage &damage, LoadedSession &session, const model::Selection &selection)
        : m_database(database)
        , m_damage(damage.withoutCounting())
        , m_loadedDamage(damage.text())
        , m_session(session)
        , m_selection(selection)
        , m_window(windowOf(session.ticks, selection))
    {
    }

    Result<std::shared_ptr<model::Snapshot>> build()
    {
        m_snapshot = std::make_shared<model::Snapshot>();
        m_snapshot->tables = m_session.tables;
        m_snapshot->selection = m_selection;
        m_snapshot->span = m_window.span;
        fillSeries(m_session, m_selection, m_window, *m_snapshot);
        using Step = Result<void> (SnapshotBuilder::*)();
        for (const Step step : {&SnapshotBuilder::heapCosts, &SnapshotBuilder::heapErrors, &SnapshotBuilder::heapPeaks,
                 &SnapshotBuilder::heapGrowth, &SnapshotBuilder::cpuCosts, &SnapshotBuilder::activities,
                 &SnapshotBuilder::areas})
            if (auto done = (this->*step)(); !done)
                return done.error();
        dropEmptyRows();
        rateStacks();
        // Without levels all costs were read when the session was loaded.
        m_snapshot->damage = hasLevels(m_session) ? m_damage.text() : m_loadedDamage;
        return m_snapshot;
    }

private:
    Result<void> heapCosts();
    Result<void> heapErrors();
    Result<void> heapPeaks();
    Result<void> heapGrowth();
    Result<void> cpuCosts();
    Result<void> activities();
    Result<void> areas() { return fillAreas(m_database, m_damage, m_session, m_selection, m_window, *m_snapshot); }
    void dropEmptyRows();
    void rateStacks();

    Result<void> heapUntil(std::size_t end, HeapValues &values)
    {
        return storage::heapUntil(m_database, m_damage, m_session, end, values);
    }
    Result<void> cpuUntil(std::size_t end, CpuValues &values)
    {
        return storage::cpuUntil(m_database, m_damage, m_session, end, values);
    }
    std::size_t growthEnd(std::size_t moment, std::size_t moments) const;
    void addExactPeak(const PeakRow &peak);
    void addPeakSummary(std::int64_t bytes, std::int64_t blocks);
    model::HeapCost &costOf(std::size_t slot);

    Database &m_database;
    Damage m_damage; ///< and what is found on the way, which may be read several times
    std::string m_loadedDamage;
    LoadedSession &m_session;
    const model::Selection &m_selection;
    TickWindow m_window;
    std::shared_ptr<model::Snapshot> m_snapshot;
    HeapValues m_heapBefore;                ///< sums until the window begins
    std::vector<std::uint32_t> m_rowOfSlot; ///< position in Snapshot::heap
    std::multimap<std::size_t, std::uint32_t>
        m_peakTicks; ///< image by the number of ticks after which it stood at its peak
};

Result<void> SnapshotBuilder::heapCosts()
{
    HeapValues &before = m_heapBefore, after;
    if (auto done = heapUntil(m_window.first, before); !done)
        return done;
    if (auto done = heapUntil(m_window.last, after); !done)
        return done;
    const std::vector<HeapKey> &keys = m_session.heap.keys();
    m_rowOfSlot.assign(keys.size(), kNoRow);
    std::unordered_set<std::uint32_t> thinned; // images whose live blocks were thinned to samples
    for (const model::HeapModeChange &mode : m_session.heapModes)
        if (mode.liveVariance > 0)
            thinned.insert(mode.image.value);
    if (!m_selection.process && !m_selection.time)
        m_snapshot->heap.reserve(keys.size()); // growing by doubling would take twice what most of them need
    for (std::size_t slot = 0; slot < keys.size(); ++slot) {
        if (!isSelected(m_session, m_selection, keys[slot].image))
            continue;
        HeapSums begin = at(before, slot), end = at(after, slot);
        HeapSums within = end;
        within.subtract(begin);
        if (within.isZero() && endedBefore(m_session, keys[slot].image, m_window.span.begin))
            begin = end = {};
        if (within.isZero() && end.liveBytes() == 0 && end.liveBlocks() == 0 && begin.liveBlocks() == 0)
            continue;
        model::HeapCost &cost = costOf(slot);
        cost.allocations = within.allocations;
        cost.allocatedBytes = within.allocatedBytes;
        cost.frees = within.frees;
        cost.freedBytes = within.freedBytes;
        cost.temporaries = within.temporaries;
        cost.temporaryBytes = within.temporaryBytes;
        cost.liveBytes = end.liveBytes();
        cost.liveBlocks = end.liveBlocks();
        cost.liveBytesAtBegin = begin.liveBytes();
        cost.liveBlocksAtBegin = begin.liveBlocks();
        if (thinned.contains(keys[slot].image)) { // its frees hold the error of what is live
            cost.frees = std::max(cost.frees, cost.temporaries);
            cost.freedBytes = std::max(cost.freedBytes, cost.temporaryBytes);
        }
    }
    return {};
}

Result<void> SnapshotBuilder::heapErrors()
{
    if (!m_session.hasSampling)
        return {};
    decltype(LoadedSession::heapSampling)::Shared before, after;
    if (auto done = samplingUntil(m_database, m_damage, m_session, m_window.first, before); !done)
        return done;
    if (auto done = samplingUntil(m_database, m_damage, m_session, m_window.last, after); !done)
        return done;
    const std::vector<HeapKey> &keys = m_session.heapSampling.keys();
    for (std::size_t slot = 0; slot < keys.size(); ++slot) {
        const auto known = m_session.heap.findSlot(keys[slot]);
        if (!known || *known >= m_rowOfSlot.size() || m_rowOfSlot[*known] == kNoRow)
            continue;
        model::HeapCost &cost = m_snapshot->heap[m_rowOfSlot[*known]];
        const model::HeapSampling end = at(after, slot).sampling;
        model::HeapSampling within = end;
        within -= at(before, slot).sampling;
        cost.samples = within.samples;
        cost.allocationVariance = std::max(within.allocationVariance, 0.0);
        cost.allocatedVariance = std::max(within.allocatedVariance, 0.0);
        cost.liveBlockVariance = std::max(end.allocationVariance - end.freeVariance, 0.0);
        cost.liveVariance = std::max(end.allocatedVariance - end.freedVariance, 0.0);
    }
    return {};
}

model::HeapCost &SnapshotBuilder::costOf(std::size_t slot)
{
    if (slot >= m_rowOfSlot.size())
        m_rowOfSlot.resize(slot + 1, kNoRow);
    if (m_rowOfSlot[slot] == kNoRow) {
        m_rowOfSlot[slot] = static_cast<std::uint32_t>(m_snapshot->heap.size());
        const HeapKey key = m_session.heap.keys()[slot];
        m_snapshot->heap.push_back({.image = model::ImageId(key.image), .stack = model::StackId(key.stack)});
    }
    return m_snapshot->heap[m_rowOfSlot[slot]];
}

void SnapshotBuilder::addPeakSummary(std::int64_t bytes, std::int64_t blocks)
{
    model::HeapSummary &summary = m_snapshot->heapSummary;
    summary.peakBytes = saturatedSum(summary.peakBytes, bytes);
    summary.peakBlocks = saturatedSum(summary.peakBlocks, blocks);
}

void SnapshotBuilder::addExactPeak(const PeakRow &peak)
{
    std::map<std::size_t, const model::HeapPeakRow *> rows; // by slot
    for (const model::HeapPeakRow &row : peak.rows)
        if (const auto slot = m_session.heap.findSlot({peak.peak.image.value, row.stack.value}))
            rows.emplace(*slot, &row);
    for (const auto &[slot, row] : rows) {
        costOf(slot).peakBytes = row->bytes;
        costOf(slot).peakBlocks = row->blocks;
    }
    addPeakSummary(peak.peak.bytes, peak.peak.blocks);
}

Result<void> SnapshotBuilder::heapPeaks()
{
    if (m_window.isEmpty())
        return {};
    std::vector<model::HeapLife> lives;
    std::vector<std::uint32_t> imageOf;
    std::list<model::HeapSeries> changed;
    std::unordered_map<std::uint32_t, std::vector<model::HeapModeChange>> thinnings; // of each image its own
    for (const model::HeapModeChange &mode : m_session.heapModes)
        if (mode.liveVariance > 0)
            thinnings[mode.image.value].push_back(mode);
    for (const auto &[image, series] : m_session.heapSeries)
        if (isSelected(m_session, m_selection, image)) {
            const model::Image &known = m_session.tables->images.at(image);
            const auto thinned = thinnings.find(image);
            auto comparable = thinned == thinnings.end() ? std::nullopt
                                                         : model::withoutJumps(series, thinned->second, m_window.span);
            lives.push_back(
                {comparable ? &changed.emplace_back(std::move(*comparable)) : &series, known.start, known.end});
            imageOf.push_back(image);
        }
    // Exact where only one of them changed then, and it is the image's highest moment of all, which is kept with its composition.
    model::HeapSummary &summary = m_snapshot->heapSummary;
    const model::CommonPeak common = model::commonPeak(lives, m_window.span);
    std::int64_t highest = -1;
    int inexact = 0, moving = 0;
    std::optional<model::Timestamp> exact;
    for (const model::PeakPart &part : common.parts) {
        const model::HeapSeries &series = *lives[part.life].series;
        const model::HeapTick &tick = series.ticks[part.row];
        const model::TimeRange span = series.spans[part.row];
        const auto peak = m_session.peaks.find(imageOf[part.life]);
        const bool isStill = !part.isInRow || tick.leastLiveBytes == tick.mostLiveBytes;
        const auto isWithin = [&](model::TimeRange range) {
            return peak->second.peak.when >= range.begin && peak->second.peak.when <= range.end;
        };
        // What happened at the end of a tick may have been read in the next one.
        const bool isPeak = part.isInRow && peak != m_session.peaks.end() && isWithin(m_window.span)
            && (isWithin(span) || peak->second.peak.bytes == part.bytes);
        moving += isStill ? 0 : 1;
        if (part.bytes > highest) {
            highest = part.bytes;
            summary.peakWhen = isPeak ? peak->second.peak.when : part.isInRow ? span.end : common.when;
        }
        if (isPeak) {
            exact = peak->second.peak.when;
            addExactPeak(peak->second);
            continue;
        }
        inexact += isStill ? 0 : 1;
        addPeakSummary(part.bytes, tick.liveBlocks);
        m_peakTicks.emplace(m_session.ticks.intersecting(span).second, imageOf[part.life]);
    }
    const auto wasThere = [&](const model::PeakPart &part) {
        const model::HeapLife &life = lives[part.life];
        return !exact || (life.begin <= *exact && (!life.end || *life.end >= *exact));
    };
    summary.peakIsBound
        = moving > 1 || (common.parts.size() > 1 && !std::all_of(common.parts.begin(), common.parts.end(), wasThere));
    summary.peakIsExact = highest >= 0 && inexact == 0 && !summary.peakIsBound;
    HeapValues values;
    for (auto it = m_peakTicks.begin(); it != m_peakTicks.end();) {
        const std::size_t end = it->first;
        if (auto done = heapUntil(end, values); !done)
            return done;
        std::unordered_set<std::uint32_t> images;
        for (; it != m_peakTicks.end() && it->first == end; ++it)
            images.insert(it->second);
        const std::vector<HeapKey> &keys = m_session.heap.keys();
        for (std::size_t slot = 0; slot < keys.size(); ++slot) {
            const HeapSums sums = at(values, slot);
            if (!images.contains(keys[slot].image) || (sums.liveBytes() == 0 && sums.liveBlocks() == 0))
                continue;
            costOf(slot).peakBytes = sums.liveBytes();
            costOf(slot).peakBlocks = sums.liveBlocks();
        }
    }
    return {};
}

/// The end of a moment in which growth is looked at: so many parts of the window's time, or of its ticks where these are few. In long windows
/// a bucket ends there, which makes the sums cheap.
std::size_t SnapshotBuilder::growthEnd(std::size_t moment, std::size_t moments) const
{
    const std::size_t ticks = m_window.last - m_window.first;
    if (moment == moments)
        return m_window.last;
    if (ticks <= moments)
        return m_window.first + moment;
    const std::int64_t stepNs = m_window.span.length().ns / static_cast<std::int64_t>(moments);
    const model::Timestamp when{m_window.span.begin.ns + stepNs * static_cast<std::int64_t>(moment)};
    std::size_t end = m_session.ticks.intersecting({m_window.span.begin, when}).second;
    std::size_t level = kLevelCount - 1;
    while (level > 0 && kBucketNs[level] > stepNs)
        --level;
    if (level > 0 && hasLevels(m_session))
        end = m_session.ticks.nearestBoundary(level, end, m_window.first + 1);
    return std::clamp(end, m_window.first + 1, m_window.last);
}

Result<void> SnapshotBuilder::heapGrowth()
{
    if (m_window.isEmpty() || m_session.heapSeries.empty())
        return {};
    const std::size_t moments = std::min(m_window.last - m_window.first, model::kGrowthMoments);
    std::vector<std::size_t> growing;
    const std::vector<model::HeapCost> &costs = m_snapshot->heap;
    for (std::size_t slot = 0; slot < m_rowOfSlot.size(); ++slot)
        if (const std::uint32_t row = m_rowOfSlot[slot];
            row != kNoRow && costs[row].liveBytes > costs[row].liveBytesAtBegin)
            growing.push_back(slot);
    const model::Duration step{m_window.span.length().ns / static_cast<std::int64_t>(moments)};
    const std::vector<model::Image> &images = m_session.tables->images;
    // Of an image that has ended by the share of the time that it lived: programs that come and go would crowd out what stays.
    const auto growth = [&](std::size_t slot) {
        const model::HeapCost &cost = costs[m_rowOfSlot[slot]];
        const auto grown = static_cast<double>(saturatedDifference(cost.liveBytes, cost.liveBytesAtBegin));
        const model::Image &image = images.at(cost.image.index());
        if (!image.end || m_window.span.end < *image.end + step)
            return grown;
        const model::Duration lived = *image.end - std::max(image.start, m_window.span.begin);
        return grown * std::max(lived.seconds(), 0.0) / m_window.span.length().seconds();
    };
    const std::size_t kept = std::min(growing.size(), model::kGrowthStacks);
    std::partial_sort(growing.begin(), growing.begin() + static_cast<std::ptrdiff_t>(kept), growing.end(),
        [&](std::size_t a, std::size_t b) { return std::pair(growth(b), a) < std::pair(growth(a), b); });
    growing.resize(kept);
    for (const std::size_t slot : growing)
        m_snapshot->heapGrowth.push_back({costs[m_rowOfSlot[slot]].image, costs[m_rowOfSlot[slot]].stack, {}, {}});
    // Of the growing ones alone: sums of all, moment by moment, cost more than all else where many programs ran.
    std::unordered_map<HeapKey, std::size_t, KeyHash> rowOf;
    std::vector<HeapSums> sums;
    for (std::size_t i = 0; i < growing.size(); ++i) {
        rowOf.emplace(m_session.heap.keys()[growing[i]], i);
        sums.push_back(at(m_heapBefore, growing[i]));
    }
    std::size_t summed = m_window.first;
    for (std::size_t moment = 1; moment <= moments; ++moment) {
        const std::size_t end = growthEnd(moment, moments);
        const model::Timestamp when = m_session.ticks.at(end - 1).span.end;
        const model::Timestamp before
            = m_snapshot->growthTimes.empty() ? m_window.span.begin : m_snapshot->growthTimes.back();
        if (!m_snapshot->growthTimes.empty() && when <= before)
            continue;
        m_snapshot->growthTimes.push_back(when);
        if (growing.empty())
            continue;
        const auto done = fetchHeap(m_database, m_damage, m_session, std::exchange(summed, end), end,
            [&](std::size_t, const HeapKey &key, const HeapSums &row) {
                if (const auto found = rowOf.find(key); found != rowOf.end())
                    sums[found->second].add(row);
            });
        if (!done)
            return done;
        for (std::size_t i = 0; i < growing.size(); ++i) {
            model::HeapGrowth &row = m_snapshot->heapGrowth[i];
            const std::optional<model::Timestamp> &ended = images.at(row.image.index()).end;
            const bool isGone = ended && *ended <= before;
            row.liveBytes.push_back(isGone ? 0 : sums[i].liveBytes());
            row.liveBlocks.push_back(isGone ? 0 : sums[i].liveBlocks());
        }
    }
    return {};
}

Result<void> SnapshotBuilder::cpuCosts()
{
    CpuValues before, after;
    if (auto done = cpuUntil(m_window.first, before); !done)
        return done;
    if (auto done = cpuUntil(m_window.last, after); !done)
        return done;
    const std::vector<CpuKey> &keys = m_session.cpu.keys();
    model::CpuSummary &summary = m_snapshot->cpuSummary;
    for (std::size_t slot = 0; slot < keys.size(); ++slot) {
        const CpuKey &key = keys[slot];
        if (!isSelectedThread(m_session, m_selection, key.thread))
            continue;
        CpuSums sums = at(after, slot);
        sums.subtract(at(before, slot));
        if (sums.isZero())
            continue;
        m_snapshot->cpu.push_back({model::ThreadId(key.thread), model::ImageId(key.image), model::StackId(key.stack),
            sums.samples, sums.timeNs});
        summary.samples = saturatedSum(summary.samples, sums.samples);
        summary.timeNs = saturatedSum(summary.timeNs, sums.timeNs);
    }
    return {};
}

Result<void> SnapshotBuilder::activities()
{
    decltype(LoadedSession::activity)::Shared before, after;
    if (auto done = activityUntil(m_database, m_damage, m_session, m_window.first, before); !done)
        return done;
    if (auto done = activityUntil(m_database, m_damage, m_session, m_window.last, after); !done)
        return done;
    const std::vector<ActivityKey> &keys = m_session.activity.keys();
    for (std::size_t slot = 0; slot < keys.size(); ++slot) {
        const ActivityKey &key = keys[slot];
        ActivitySums sums = at(after, slot);
        sums.subtract(at(before, slot));
        if (!sums.isZero() && isSelectedThread(m_session, m_selection, key.thread))
            m_snapshot->activities.push_back({model::ThreadId(key.thread), model::ImageId(key.image),
                model::StackId(key.stack), model::Activity{key.activity}, sums.count, sums.timeNs, sums.errors,
                sums.bytes, sums.ownStacks, sums.estimated});
    }
    return {};
}

void SnapshotBuilder::dropEmptyRows()
{
    std::erase_if(m_snapshot->heap, [](const model::HeapCost &cost) {
        return cost.allocations == 0 && cost.frees == 0 && cost.liveBlocks == 0 && cost.liveBlocksAtBegin == 0
            && cost.liveBytes == 0 && cost.allocatedBytes == 0 && cost.peakBytes == 0 && cost.peakBlocks == 0;
    });
}

void SnapshotBuilder::rateStacks()
{
    const model::ProgramTables &tables = *m_session.tables;
    std::vector<bool> isSeen(tables.stacks.size());
    model::StackQuality &quality = m_snapshot->stackQuality;
    const auto rate = [&](model::StackId stack) {
        if (isSeen[stack.index()])
            return;
        isSeen[stack.index()] = true;
        ++quality.distinct;
        const model::StackEnd end = tables.endOf(stack);
        if (end == model::StackEnd::Truncated || end == model::StackEnd::TableFull)
            ++quality.truncated;
        else if (end != model::StackEnd::ReachedStart)
            ++quality.broken;
    };
    for (const model::HeapCost &cost : m_snapshot->heap)
        rate(cost.stack);
    for (const model::CpuCost &cost : m_snapshot->cpu)
        rate(cost.stack);
    for (const model::ActivityCost &cost : m_snapshot->activities)
        rate(cost.stack);
}

} // namespace

Result<std::shared_ptr<model::Snapshot>> buildSnapshot(Database &database, const Damage &damage, LoadedSession &session,
    const model::Selection &selection, std::stop_token stop)
{
    const CancelScope cancel(database, std::move(stop));
    return SnapshotBuilder(database, damage, session, selection).build();
}

} // namespace storage
