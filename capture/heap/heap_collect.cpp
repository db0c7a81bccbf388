// SPDX-License-Identifier: GPL-3.0-or-later
// HeapInstrument's tick: from the images' books to rows of the session.
#include "capture/heap/absent_tracer.h"
#include "capture/heap/heap_instrument.h"
#include "capture/heap/precedence.h"
#include "capture/target/built_in_allocator.h"
#include "capture/target/program_kind.h"
#include "model/base/format_units.h"
#include "model/base/wrapping_sum.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <unordered_set>
#include <utility>

namespace capture {

struct HeapInstrument::Harvest
{
    model::HeapTickCounts tick;
    std::optional<EventPairing::AgeChanges> ages;
    PairingLosses pairing;
    ProgramHarvest program;
    TargetLosses target;
    std::uint64_t badRecords = 0;
    std::vector<SamplingStep> steps;
    std::vector<RingThread> threads;
    std::string failure;
    wire::Retreat retreat = wire::Retreat::None;
    bool hasEnded = false;
    std::optional<std::int64_t> goneNs; ///< see Image
};

namespace {

/// Growth of a counter that the target owns: one that fell is hostile or damaged, and says nothing.
std::int64_t growth(std::uint64_t now, std::uint64_t &seen)
{
    const std::uint64_t difference = now >= seen ? now - seen : 0;
    seen = now;
    return static_cast<std::int64_t>(std::min<std::uint64_t>(difference, INT64_MAX / 2));
}

/// What of a tick remains when what was allocated and freed within it is left out: keeps the live set true over a pause.
void keepNetOnly(model::HeapCounts &counts)
{
    // Less than nothing was freed where sampling began and live rose with it.
    const std::int64_t blocks = std::min(counts.allocations, counts.frees);
    const std::int64_t bytes = std::min(counts.allocatedBytes, counts.freedBytes);
    counts = {counts.allocations - blocks, counts.allocatedBytes, counts.frees - blocks, counts.freedBytes, 0, 0};
    model::subtractWrapping(counts.allocatedBytes, bytes);
    model::subtractWrapping(counts.freedBytes, bytes);
}

void keepNetOnly(model::HeapSampling &sampling)
{
    const double blocks = std::min(sampling.allocationVariance, sampling.freeVariance);
    const double bytes = std::min(sampling.allocatedVariance, sampling.freedVariance);
    sampling = {0, sampling.allocationVariance - blocks, sampling.allocatedVariance - bytes,
        sampling.freeVariance - blocks, sampling.freedVariance - bytes, sampling.periodBytes};
}

void keepNetOnly(model::HeapTickCounts &tick)
{
    tick.total = {};
    for (model::HeapTickCounts::Row &row : tick.rows) {
        keepNetOnly(row.counts);
        keepNetOnly(row.sampling);
        tick.total += row.counts;
    }
    tick.sizes = {};
    tick.lifetimes = {};
}

model::LossKind lossOf(model::StackEnd end)
{
    switch (end) {
    case model::StackEnd::Truncated:
        return model::LossKind::StacksTruncated;
    case model::StackEnd::NoUnwindInfo:
        return model::LossKind::StacksNoUnwindInfo;
    case model::StackEnd::Unreadable:
        return model::LossKind::StacksUnreadable;
    case model::StackEnd::TableFull:
        return model::LossKind::StackTableFull;
    default:
        return model::LossKind::StacksBadRule;
    }
}

void addLoss(
    model::EventBatch &batch, model::LossKind kind, model::ImageId image, std::int64_t count, const char *detail = "")
{
    if (count > 0)
        batch.losses.push_back({kind, image, count, detail});
}

const char *causeOf(wire::Retreat retreat)
{
    switch (retreat) {
    case wire::Retreat::NoClock:
        return "it has forbidden itself to read the clock (prctl PR_SET_TSC, or seccomp)";
    case wire::Retreat::NoMemory:
        return "the tracer got no memory of its own, about a MiB, in the program; its data is limited (ulimit -d): "
               "raise the limit, "
               "or lift it";
    case wire::Retreat::MemoryLocked:
        return "it locks all its memory (mlockall), of which it may not have as much as tracing takes: raise the limit "
               "(ulimit -l), or lift it";
    case wire::Retreat::NoForkFlag:
        return "the tracer cannot tell a forked child from its parent here: the kernel is older than 4.14, or the "
               "program has no "
               "memory left";
    case wire::Retreat::NoSystemCalls:
        return "it has given up all system calls (seccomp, strict mode)";
    default:
        return "the program has overwritten the memory that it shares with the recorder";
    }
}

} // namespace

HeapInstrument::Harvest HeapInstrument::harvest(Image &image, model::Timestamp now)
{
    drainOne(image, true, true);
    Harvest harvest;
    harvest.ages = image.channel.pairing().takeAges(now.ns);
    harvest.tick = image.channel.pairing().ledger().takeTick();
    harvest.pairing = image.channel.pairing().takeLosses();
    harvest.program = image.channel.program().take();
    harvest.target = image.channel.losses();
    harvest.badRecords = image.channel.takeBadRecords();
    harvest.steps = image.channel.takeSteps();
    harvest.threads = image.channel.takeNewThreads();
    harvest.failure = image.failure;
    harvest.retreat = image.channel.retreat();
    harvest.hasEnded = image.hasEnded;
    harvest.goneNs = image.goneNs;
    return harvest;
}

void HeapInstrument::collect(model::Timestamp now, model::EventBatch &batch)
{
    const bool isPaused = m_isPaused; // of the whole tick: one is closed before a pause begins, and before it ends
    std::vector<std::pair<Image *, Harvest>> harvests;
    {
        const Precedence precedence; // the drain thread waits for the lock
        const std::lock_guard lock(m_mutex);
        m_clock.sync();
        takeMessages();
        for (const auto &image : m_images)
            harvests.emplace_back(image.get(), harvest(*image, now));
        judge(m_clock.toNs(m_clock.units()));
    }
    waitForOutcomes(harvests);
    storeRefused(batch);
    for (auto &[image, harvest] : harvests) {
        registerImage(*image);
        storeFailure(*image, harvest.failure, batch);
        storeRetreat(*image, harvest.retreat, now, batch);
        nameThreads(*image, harvest.threads);
        if (isPaused) {
            keepNetOnly(harvest.tick);
            for (AreaHarvest &area : harvest.program.areas)
                for (auto &[node, counts] : area.counts.rows)
                    keepNetOnly(counts);
        }
        tellScansGivenUp(*image);
        addModes(*image, harvest.steps, batch);
        addRows(*image, harvest, batch);
        addAges(*image, harvest, batch);
        addLosses(*image, harvest, batch);
        addProgram(*image, harvest.program, harvest.hasEnded, batch);
        if (harvest.hasEnded && harvest.goneNs)
            endProcessOf(*image, *harvest.goneNs);
        image->resolver.nameGeneratedCode(m_processes.tables(), harvest.hasEnded);
    }
    for (model::Phase &phase : m_phases.take())
        batch.phases.push_back(std::move(phase));
    settleUntraced(now, batch);
    if (m_scanner)
        takeScans(batch);
    std::vector<PastMappings::Image> past;
    for (const auto &[image, harvest] : harvests) {
        if (!harvest.hasEnded)
            continue;
        model::MappedRanges mappings = image->channel.program().copyMappings();
        const bool isWhole = image->knowsAllOf(mappings);
        past.push_back({image->arrival.number, isWhole, std::move(mappings)});
    }
    const std::lock_guard lock(m_mutex);
    for (PastMappings::Image &image : past)
        m_past.keep(std::move(image));
    for (const auto &[image, harvest] : harvests) {
        if (!harvest.hasEnded)
            continue;
        const auto it = std::find_if(
            m_images.begin(), m_images.end(), [wanted = image](const auto &other) { return other.get() == wanted; });
        m_done.push_back(std::move(*it));
        m_images.erase(it);
    }
}

void HeapInstrument::waitForOutcomes(std::vector<std::pair<Image *, Harvest>> &harvests)
{
    // A program can say that it could not map its memory, and end, before its last message was read.
    const bool hasEnded
        = std::any_of(harvests.begin(), harvests.end(), [](const auto &pair) { return pair.second.hasEnded; });
    if (!hasEnded)
        return;
    m_server->waitUntilIdle();
    const std::lock_guard lock(m_mutex);
    takeMessages();
    for (auto &[image, harvest] : harvests)
        harvest.failure = image->failure;
}

const std::string &HeapInstrument::allocatorNote(const std::string &executable)
{
    const auto [note, isNew] = m_allocatorNotes.try_emplace(executable);
    if (isNew)
        note->second = builtInAllocatorNote(executable);
    return note->second;
}

void HeapInstrument::nameThreads(const Image &image, const std::vector<RingThread> &threads)
{
    const model::ProgramTables &tables = m_processes.tables().tables();
    for (const RingThread &thread : threads) {
        const model::Image &row = tables.images[image.id.index()];
        // Its ring may have been seen first after its process was known to have ended: it is no later process with that pid.
        const model::Timestamp seen{thread.firstSeenNs};
        const model::Timestamp last = std::min(seen, tables.processes[row.process.index()].end.value_or(seen));
        const model::Timestamp first = std::min(std::max(row.start, model::Timestamp{thread.notBeforeNs}), last);
        m_processes.threadFound(image.arrival.pid, thread.tid, thread.name, {first, last});
    }
}

void HeapInstrument::storeRetreat(Image &image, wire::Retreat retreat, model::Timestamp now, model::EventBatch &batch)
{
    if (retreat == wire::Retreat::None || std::exchange(image.isRetreatStored, true) || image.isFailureStored)
        return;
    const bool neverBegan = retreat == wire::Retreat::NoMemory || retreat == wire::Retreat::NoForkFlag;
    const std::string note = neverBegan
        ? std::string("its heap is not recorded: ") + causeOf(retreat)
        : fmt::format("its heap is not recorded from {} on: {}", model::formatOffset(now, true), causeOf(retreat));
    model::Image &row = m_processes.tables().changeImage(image.id);
    row.heap = neverBegan ? model::HeapState::NotTraced : model::HeapState::Dormant;
    sayOfHeap(image, note);
    batch.losses.push_back({model::LossKind::HeapNotTraced, image.id, 1, note});
}

void HeapInstrument::tellScansGivenUp(const Image &image)
{
    const std::int64_t count = m_attachment && image.arrival.origin == wire::Origin::Attach && !image.isFailureStored
        ? m_attachment->scansGivenUp(image.arrival.pid)
        : 0;
    if (count == 0)
        return;
    const std::string lack
        = fmt::format("calls of modules that it loaded later are not recorded (looks given up: {})", count);
    sayOfHeap(image, attachNote(image.arrival) + "; " + lack);
}

void HeapInstrument::addRows(Image &image, const Harvest &harvest, model::EventBatch &batch)
{
    model::TableBuilder &tables = m_processes.tables();
    const model::HeapTickCounts &tick = harvest.tick;
    for (const auto &[node, counts, sampling] : tick.rows) {
        const model::StackId stack = image.resolver.stackOf(node, tables);
        batch.heap.push_back(
            {image.id, stack, counts.allocations, counts.allocatedBytes, counts.frees, counts.freedBytes,
                counts.temporaries, counts.temporaryBytes, std::max<std::int64_t>(sampling.periodBytes, 1)});
        if (sampling.periodBytes > 1)
            batch.heapSampling.push_back({image.id, stack, sampling, sampling.periodBytes});
    }
    batch.heapTicks.push_back({image.id, tick.live.bytes, tick.live.blocks, tick.leastLiveBytes, tick.mostLiveBytes,
        tick.total.allocations, tick.total.allocatedBytes, tick.total.frees, tick.total.freedBytes,
        tick.total.temporaries, harvest.pairing.unknownFrees});
    for (std::size_t bin = 0; bin < tick.sizes.size(); ++bin)
        if (tick.sizes[bin].count != 0)
            batch.heapSizes.push_back(
                {image.id, static_cast<std::uint16_t>(bin), tick.sizes[bin].count, tick.sizes[bin].bytes});
    for (std::size_t bin = 0; bin < tick.lifetimes.size(); ++bin)
        if (tick.lifetimes[bin].count != 0)
            batch.heapLifetimes.push_back(
                {image.id, static_cast<std::uint16_t>(bin), tick.lifetimes[bin].count, tick.lifetimes[bin].bytes});
    if (!tick.hasNewPeak)
        return;
    batch.heapPeaks.push_back({image.id, {tick.peakTimeNs}, tick.peak.bytes, tick.peak.blocks});
    std::unordered_set<std::uint32_t> changed;
    for (const auto &[node, level] : tick.peakRows) {
        const std::uint32_t stack = image.resolver.stackOf(node, tables).value;
        model::HeapLevel &sum = image.peakOfStack[stack];
        const model::HeapLevel before = std::exchange(image.peakOfNode[node], level);
        sum = {sum.bytes + level.bytes - before.bytes, sum.blocks + level.blocks - before.blocks};
        changed.insert(stack);
    }
    for (const std::uint32_t stack : changed) {
        const model::HeapLevel &sum = image.peakOfStack[stack];
        batch.heapPeakRows.push_back({image.id, model::StackId(stack), sum.bytes, sum.blocks});
    }
}

void HeapInstrument::addAges(Image &image, Harvest &harvest, model::EventBatch &batch)
{
    if (!harvest.ages)
        return;
    harvest.ages->clock.image = image.id;
    batch.ageClocks.push_back(harvest.ages->clock);
    for (auto &[node, ages] : harvest.ages->stacks) {
        ages.image = image.id;
        ages.stack = image.resolver.stackOf(node, m_processes.tables());
        ages.part = node;
        batch.stackAges.push_back(std::move(ages));
    }
}

void HeapInstrument::addLosses(Image &image, const Harvest &harvest, model::EventBatch &batch)
{
    model::TableBuilder &tables = m_processes.tables();
    std::array<std::int64_t, model::kStackEndCount> ends{};
    for (const auto &[node, counts, sampling] : harvest.tick.rows)
        ends[static_cast<std::size_t>(image.resolver.endOf(node, tables))]
            += sampling.periodBytes > 1 ? sampling.samples : counts.allocations;
    for (std::uint32_t end = 1; end < model::kStackEndCount; ++end)
        addLoss(batch, lossOf(static_cast<model::StackEnd>(end)), image.id, ends[end], "heap");

    TargetLosses &seen = image.seenLosses;
    const TargetLosses &now = harvest.target;
    noteLosses(image, harvest);
    using model::LossKind;
    addLoss(batch, LossKind::EventsDropped, image.id, growth(now.droppedRing, seen.droppedRing),
        m_server->letsWait() ? "the ring was full for too long"
                             : "the recording was told to drop when rings are full (--when-full drop)");
    addLoss(batch, LossKind::EventsDropped, image.id, growth(now.droppedNoRing, seen.droppedNoRing),
        "no ring could be had for the thread");
    addLoss(batch, LossKind::EventsDropped, image.id, growth(now.reentered, seen.reentered),
        "inside another allocation call: a signal handler's, or the allocator's own, or left by a jump");
    addLoss(batch, LossKind::EventsDropped, image.id, harvest.pairing.missedFrees, "frees that were not seen");
    addLoss(batch, LossKind::StackTableFull, image.id, growth(now.nodesRefused, seen.nodesRefused));
    addLoss(batch, LossKind::StackTableFull, image.id, growth(now.modulesRefused, seen.modulesRefused),
        "modules without a place in the table");
    addLoss(batch, LossKind::EventsDropped, image.id, growth(now.poolsRefused, seen.poolsRefused),
        "pools: more than 65,535 were made");
    addLoss(batch, LossKind::EventsDropped, image.id, growth(now.samplesRefused, seen.samplesRefused),
        "samples: more live ones than can be followed; use a longer period");
    addLoss(batch, LossKind::EventsDropped, image.id, harvest.pairing.overtaken,
        "allocations that a change to sampling came before");
    addLoss(batch, LossKind::EventsDropped, image.id, harvest.pairing.notKept,
        "blocks that sampling would have kept; use a longer period");
    // After an attach or a fork that is to be expected, and counted with the ticks.
    if (image.arrival.origin == wire::Origin::Exec)
        addLoss(batch, LossKind::UnknownFrees, image.id, harvest.pairing.unknownFrees);
    const auto bad = static_cast<std::int64_t>(std::min<std::uint64_t>(harvest.badRecords, INT64_MAX / 2))
        + harvest.pairing.badRecords + image.resolver.takeBadNodes();
    addLoss(batch, LossKind::BadRecords, image.id, bad);
}

/// After a loss of events nobody knows which blocks are still there of those that were: a scan must not judge them.
void HeapInstrument::noteLosses(Image &image, const Harvest &harvest)
{
    const TargetLosses &seen = image.seenLosses;
    const TargetLosses &now = harvest.target;
    const bool hadBlocks = image.arrival.origin != wire::Origin::Exec;
    const std::lock_guard lock(m_mutex);
    if (now.droppedRing != seen.droppedRing || now.droppedNoRing != seen.droppedNoRing
        || now.reentered != seen.reentered || harvest.pairing.missedFrees > 0 || harvest.badRecords > 0
        || harvest.pairing.badRecords > 0 || (harvest.pairing.unknownFrees > 0 && !hadBlocks))
        image.lastLossUs = (m_clock.toNs(m_clock.units()) + 999) / 1000;
}

} // namespace capture
