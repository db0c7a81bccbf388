// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/heap/image_channel.h"

#include "capture/heap/live_threads.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <climits>
#include <cstring>
#include <utility>

namespace capture {

namespace {

/// How long a drain goes on while events wait for other rings: the lock is wanted by others too.
constexpr std::int64_t kLongestDrainNs = 5'000'000;
/// The same of an image that is gone: nothing real is left to read by then, but somebody who kept the memory may write on.
constexpr std::int64_t kLongestLastDrainNs = 2'000'000'000;
/// Scans that a thread must be missing from where a scan can overlook one.
constexpr std::uint32_t kScansBeforeGone = 4;
constexpr std::uint32_t kMostSlotsAhead = 64;

void wakeWriter(wire::ThreadSlot &slot) { ::syscall(SYS_futex, &slot.space, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0); }

} // namespace

ImageChannel::ImageChannel(
    std::unique_ptr<ImageMemory> memory, std::int32_t pid, bool sharesPids, model::Duration ageBucket)
    : m_memory(std::move(memory))
    , m_pid(pid)
    , m_sharesPids(sharesPids)
    , m_pairing(m_memory->view().header().orders[0].samplePeriodBytes, ageBucket)
{
    m_pairing.setFollowed(m_memory->sampledBlocks());
}

bool ImageChannel::hasMuchToRead() const
{
    const wire::MemoryView view = m_memory->view();
    if (view.header().wanted.load(std::memory_order_acquire) != 0 || m_rings.size() < m_memory->slotCount())
        return true;
    return std::any_of(m_rings.begin(), m_rings.end(), [&](const auto &ring) {
        const wire::RingReader &reader = ring->decoder.ring();
        return view.slot(ring->slot).head.load(std::memory_order_acquire) - reader.position() >= reader.records() / 2;
    });
}

std::uint64_t ImageChannel::lastEvent() const
{
    std::uint64_t last = m_lastOfEnded;
    for (const Ring *ring : m_active)
        last = std::max(last, ring->decoder.time());
    return last;
}

bool ImageChannel::isAnyStalled() const
{
    return std::any_of(m_active.begin(), m_active.end(), [](const Ring *ring) { return ring->isStalled; });
}

bool ImageChannel::isAllApplied() const
{
    return std::none_of(m_active.begin(), m_active.end(),
        [](const Ring *ring) { return ring->current.type != wire::RecordType::None; });
}

bool ImageChannel::isSettled() const
{
    return m_pairing.isSettled() && std::none_of(m_active.begin(), m_active.end(), [](const Ring *ring) {
        return ring->current.type != wire::RecordType::None || ring->thread.isInRealloc;
    });
}

void ImageChannel::beat()
{
    std::atomic<std::uint64_t> &heartbeat = m_memory->view().header().heartbeat;
    // Seen by all before any ring is looked at: a thread that is the sole one to record then stamps its next event anew, see drain(). In one step:
    // Heartbeat adds to it at any time, but leaves alone whether it is odd.
    const bool isOdd = (heartbeat.load(std::memory_order_relaxed) & 1) != 0;
    heartbeat.fetch_add(isOdd ? 1 : 2, std::memory_order_seq_cst);
}

void ImageChannel::rest() { m_memory->view().header().heartbeat.fetch_or(1, std::memory_order_relaxed); }

void ImageChannel::stop() { m_memory->stop(); }

void ImageChannel::findNewOwners(const RecorderClock &clock)
{
    const wire::MemoryView view = m_memory->view();
    while (m_rings.size() < m_memory->slotCount()) {
        const auto slot = static_cast<std::uint32_t>(m_rings.size());
        auto ring = std::make_unique<Ring>();
        ring->slot = slot;
        ring->decoder = EventDecoder(
            wire::RingReader(view, view.slot(slot), m_memory->firstRingOffset(slot), wire::kFirstRingRecords));
        m_rings.push_back(std::move(ring));
    }
    const std::int64_t lookNs = clock.toNs(clock.units()), lastLookNs = std::exchange(m_lastLookNs, lookNs);
    for (const auto &ring : m_rings) {
        wire::ThreadSlot &slot = view.slot(ring->slot);
        if (ring->isTaken || slot.state.load(std::memory_order_acquire) != wire::SlotState::Taken)
            continue;
        // Before its serial is there, what else the slot says is about the owner before. A thread need not have written anything: where
        // allocations are sampled many never do.
        const std::uint32_t serial = slot.serial.load(std::memory_order_acquire);
        if (serial == ring->serial)
            continue;
        ring->isTaken = true;
        ring->hasPaused = false;
        ring->thread = {};
        ring->decoder.startThread();
        m_program.startThread(ring->slot);
        m_pairing.scopes().endThread(&ring->thread);
        ring->tid = static_cast<std::int32_t>(slot.tid.load(std::memory_order_relaxed));
        ring->serial = serial;
        char name[sizeof slot.name];
        std::copy_n(slot.name, sizeof name, name);
        m_newThreads.push_back(
            {ring->tid, std::string(name, ::strnlen(name, sizeof name)), lastLookNs, clock.toNs(clock.units())});
        m_active.push_back(ring.get());
    }
}

std::uint64_t ImageChannel::drain(const RecorderClock &clock, bool isFinal)
{
    // Events that wait for another ring are settled by the next pass. What is still open after a while is left to the next call:
    // a hostile target could keep this going for ever.
    std::uint64_t events = 0;
    const std::int64_t end = clock.toNs(clock.units()) + (isFinal ? kLongestLastDrainNs : kLongestDrainNs);
    for (;;) {
        // Before threads are looked for: what happened until now is in a ring that is found.
        const std::uint64_t begin = clock.units();
        // After that, and before rings are looked at: an event that is not in its ring by then cannot be what one needs that shares an earlier
        // stamp. Whoever knows of it has seen the beat, and stamps anew, so later than this pass goes.
        beat();
        findNewOwners(clock);
        const std::uint64_t applied = pass(clock, begin, isFinal);
        events += applied;
        publishTails();
        const bool isDone = !isAnyStalled() && (!isFinal || (applied == 0 && isAllApplied()));
        if (isDone || clock.toNs(clock.units()) > end)
            break;
    }
    if (isFinal)
        for (Ring *ring : m_active)
            m_pairing.endThread(ring->thread, clock.units());
    m_traffic.events += events;
    return events;
}

namespace {

/// What the text of a note is; false if it is too short for that.
template <typename Payload> bool read(const std::string &text, Payload &payload)
{
    if (text.size() < sizeof payload)
        return false;
    std::memcpy(&payload, text.data(), sizeof payload);
    return true;
}

} // namespace

void ImageChannel::takeQuestion(const HeapEvent &event, Ring &ring)
{
    const std::string text = m_program.takeText(ring.slot);
    const TargetLosses lost = losses();
    const std::uint64_t lostEvents = lost.droppedRing + lost.droppedNoRing;
    wire::ScopeBegin begin;
    wire::ScopeEnd end;
    wire::ExitQuestion exit;
    const auto kind = static_cast<wire::NoteKind>(event.node);
    if (kind == wire::NoteKind::ScopeBegin && read(text, begin))
        m_pairing.scopes().begin(begin, &ring.thread, lostEvents);
    else if (kind == wire::NoteKind::ScopeEnd && read(text, end))
        m_pairing.scopes().end(end, event.units, lostEvents);
    else if (kind == wire::NoteKind::Exit && read(text, exit))
        m_exitQuestion = static_cast<std::uint32_t>(exit.question);
    else
        ++m_badRecords;
}

std::vector<ScopeAnswer> ImageChannel::takeScopeAnswers()
{
    // An event that waits for another ring may be one of the scope.
    if (!m_pairing.scopes().hasEnded() || isAnyOpen())
        return {};
    return m_pairing.scopes().takeAnswers(m_pairing.hasSampled() || m_step.has_value());
}

std::uint32_t ImageChannel::takeExitQuestion() { return isAnyOpen() ? 0 : std::exchange(m_exitQuestion, 0); }

void ImageChannel::publishTails(std::uint64_t share)
{
    for (Ring *ring : m_active) {
        if (share != 0 && ring->decoder.ring().unpublished() < ring->decoder.ring().records() / share)
            continue;
        if (ring->decoder.ring().publish()) {
            wire::ThreadSlot &slot = ring->decoder.ring().slot();
            wakeWriter(slot);
            // One that has been woken says that it waits until it runs.
            const std::uint64_t head = slot.head.load(std::memory_order_relaxed);
            m_traffic.waits += std::exchange(ring->headAtWait, head) != head ? 1 : 0;
        }
        if (const auto left = ring->decoder.takeLeftRing(); left.records != 0)
            m_memory->giveRingBack(left.offset, left.records);
        m_badRecords += ring->decoder.takeBadRecords();
    }
}

void ImageChannel::provide(bool mayScan, const RecorderClock &clock)
{
    wire::Header &header = m_memory->view().header();
    const std::uint32_t wanted = header.wanted.exchange(0, std::memory_order_acq_rel);
    const bool wantsSlot = (wanted & static_cast<std::uint32_t>(wire::Want::Slot)) != 0;
    std::uint32_t refused = m_memory->commitNodes() ? 0 : static_cast<std::uint32_t>(wire::Want::Nodes);
    offerLargerRings();
    if (wantsSlot) // threads begin faster than they are looked for
        m_slotsAhead = std::min(m_slotsAhead * 2, kMostSlotsAhead);
    const std::uint32_t ahead = std::max(m_slotsAhead, m_memory->slotCount() / 4);
    const bool isShort = freeSlots() < ahead && m_memory->slotCount() < wire::kMaxThreads;
    // Rather a ring that somebody has left than one more.
    if (mayScan || isShort || (wantsSlot && freeSlots() == 0)) {
        releaseEndedThreads();
        findNewOwners(clock);
    }
    if (freeSlots() < ahead && !m_memory->addSlots(ahead) && freeSlots() == 0)
        refused |= static_cast<std::uint32_t>(wire::Want::Slot);
    header.refused.store(refused, std::memory_order_relaxed);
}

std::uint32_t ImageChannel::freeSlots() const
{
    std::uint32_t free = 0;
    for (std::uint32_t i = 0; i < m_memory->slotCount(); ++i)
        free += m_memory->view().slot(i).state.load(std::memory_order_relaxed) == wire::SlotState::Free ? 1 : 0;
    return free;
}

void ImageChannel::offerLargerRings()
{
    for (Ring *ring : m_active) {
        wire::RingReader &reader = ring->decoder.ring();
        if (!std::exchange(ring->wantsLarger, false) || reader.offeredRecords() != 0
            || reader.records() >= wire::kLargestRingRecords)
            continue;
        const auto records = static_cast<std::uint32_t>(reader.records()) * 4;
        if (const std::uint64_t offset = m_memory->takeRing(records); offset != 0)
            reader.offer(offset, static_cast<unsigned>(std::bit_width(records) - 1));
    }
}

void ImageChannel::releaseEndedThreads()
{
    const LiveThreads alive(m_pid, m_sharesPids);
    if (!alive.isKnown())
        return;
    std::vector<Ring *> ended;
    for (Ring *ring : m_active) {
        // A younger ring of the same tid is another thread's: this one's owner is gone.
        const bool isReplaced = std::any_of(m_active.begin(), m_active.end(), [=](const Ring *other) {
            return other->tid == ring->tid && static_cast<std::int32_t>(other->serial - ring->serial) > 0;
        });
        ring->missingScans = alive.contains(ring->tid) ? 0 : ring->missingScans + 1;
        if (isReplaced || ring->missingScans >= (alive.isReliable() ? 1u : kScansBeforeGone))
            ended.push_back(ring);
    }
    for (Ring *ring : ended)
        release(*ring);
}

void ImageChannel::release(Ring &ring)
{
    m_lastOfEnded = std::max(m_lastOfEnded, ring.decoder.time());
    wire::RingReader &reader = ring.decoder.ring();
    if (!reader.refresh()) {
        ring.aheadEnd = ring.aheadUsable = 0;
        ++m_badRecords;
    }
    if (reader.available() != 0 || ring.current.type != wire::RecordType::None)
        return; // read it first
    m_pairing.endThread(ring.thread, ring.current.units);
    const std::uint64_t before = reader.offset();
    const auto records = static_cast<std::uint32_t>(reader.records());
    reader.describe();
    if (reader.offset() != before)
        m_memory->giveRingBack(before, records);
    ring.isTaken = false;
    std::erase(m_active, &ring);
    reader.slot().state.store(wire::SlotState::Free, std::memory_order_release);
}

std::vector<RingThread> ImageChannel::takeNewThreads() { return std::exchange(m_newThreads, {}); }

TargetLosses ImageChannel::losses()
{
    const wire::LossCounters &counters = m_memory->view().header().losses;
    const auto follow = [this](const std::atomic<std::uint64_t> &counter, FollowedCount &count) {
        // Far more than all threads of a machine could lose from one look to the next.
        constexpr std::uint64_t kMostAtOnce = std::uint64_t{1} << 36;
        const std::uint64_t now = counter.load(std::memory_order_relaxed);
        const bool isCount = now >= count.seen && now - count.seen <= kMostAtOnce;
        if (isCount)
            count.sum += now - count.seen;
        else
            ++m_badRecords; // the program has written over it
        count.seen = now;
        return count.sum;
    };
    return {follow(counters.droppedRing, m_losses.droppedRing), follow(counters.droppedNoRing, m_losses.droppedNoRing),
        follow(counters.reentered, m_losses.reentered), follow(counters.nodesRefused, m_losses.nodesRefused),
        follow(counters.modulesRefused, m_losses.modulesRefused),
        follow(counters.samplesRefused, m_losses.samplesRefused), follow(counters.poolsRefused, m_losses.poolsRefused)};
}

wire::Retreat ImageChannel::retreat() const
{
    const wire::Retreat said = m_memory->view().header().retreat.load(std::memory_order_acquire);
    switch (said) {
    case wire::Retreat::None:
    case wire::Retreat::NoSystemCalls:
    case wire::Retreat::NoClock:
    case wire::Retreat::NoMemory:
    case wire::Retreat::NoForkFlag:
    case wire::Retreat::MemoryLocked:
        return said;
    default:
        return kDamagedRetreat;
    }
}

std::vector<std::uint64_t> ImageChannel::stackTops() const
{
    std::vector<std::uint64_t> tops;
    for (const Ring *ring : m_active)
        if (ring->tid != m_pid) // the first thread's TCB is not on its stack
            tops.push_back(__atomic_load_n(&ring->decoder.ring().slot().stackTop, __ATOMIC_RELAXED));
    return tops;
}

std::uint64_t ImageChannel::takeBadRecords() { return std::exchange(m_badRecords, 0); }

} // namespace capture
