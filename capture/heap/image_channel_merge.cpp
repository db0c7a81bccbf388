// SPDX-License-Identifier: GPL-3.0-or-later
// How the events of an image's rings come into one order: by their stamps.
//
// Stamps of two threads can be in the wrong order by a moment. Where every free is that of a block whose allocation was told, that costs nothing:
// events are applied as they come, and EventPairing keeps what misses its counterpart until it is there. Where frees of blocks that nobody
// knows are usual, a free that is kept could end a block that has nothing to do with it; there stamps are exact to some ns, and an event without
// its counterpart waits, and its ring with it.
#include "capture/heap/image_channel.h"

#include <algorithm>
#include <utility>

namespace capture {

namespace {

constexpr std::uint64_t kSkewUnits = UnsettledBlocks::kSkewUnits;
/// A stamp that is further ahead than this is none: clocks of processors differ by far less.
constexpr std::int64_t kMostAheadNs = 5'000'000'000;
/// Where many threads have much to tell, one pass can take long, the longer the less of a busy machine the recorder gets.
constexpr std::uint64_t kEventsBetweenTails = 16384;
/// A thread that is woken for less room than 1/4 of its ring would soon wait again.
constexpr std::uint64_t kMostUnpublished = 4;

bool isQuestion(const HeapEvent &event)
{
    return event.type == wire::RecordType::Note && event.node >= static_cast<std::uint32_t>(wire::NoteKind::ScopeBegin)
        && event.node <= static_cast<std::uint32_t>(wire::NoteKind::Exit);
}

} // namespace

std::uint64_t ImageChannel::pass(const RecorderClock &clock, std::uint64_t begin, bool isFinal)
{
    // What is younger than the look for new threads waits for the next pass: a ring that was looked at earlier, or not known yet, may hold
    // something older. By the skew less than then, as clocks of processors differ: all that an event needs is then seen in this pass.
    const std::uint64_t ahead = clock.unitsIn(kMostAheadNs), latest = begin + ahead;
    const std::uint64_t horizon = isFinal ? latest : begin - kSkewUnits;
    ++m_pass;
    m_queue.clear();
    m_waiting.clear();
    for (Ring *ring : m_active) {
        const std::uint64_t before = ring->decoder.ring().available();
        if (!ring->decoder.ring().refresh()) {
            ring->aheadEnd = ring->aheadUsable = 0;
            ++m_badRecords;
        }
        const std::uint64_t now = ring->decoder.ring().available();
        m_fullest = std::max(m_fullest, static_cast<double>(now) / static_cast<double>(ring->decoder.ring().records()));
        ring->wantsLarger = ring->wantsLarger || (now > before && now > ring->decoder.ring().records() / 2);
        if (ring->current.type == wire::RecordType::None)
            decodeNext(*ring);
        if (ring->current.type == wire::RecordType::None)
            continue;
        if (ring->current.units > latest && ring->current.units > clock.units() + ahead) [[unlikely]] {
            // It would never be due, and nothing behind it; and as a birth it would make all that comes look old.
            ++m_badRecords;
            ring->current.units = clock.units();
            ring->decoder.setTime(ring->current.units);
        }
        enqueue(*ring);
    }
    const std::uint64_t applied = isInStrictOrder() ? runStrictly(clock, isFinal, horizon) : merge(clock, horizon);
    std::uint64_t settled = isFinal ? UINT64_MAX : horizon;
    for (const Ring *ring : m_active)
        settled = ring->isStalled ? std::min(settled, ring->current.units) : settled;
    m_pairing.settleBefore(settled);
    return applied;
}

/// Between two events: `applied` more of a pass are done. Threads that wait for room need not wait for its end.
void ImageChannel::giveRoom(std::uint64_t applied)
{
    m_sinceTails += applied;
    if (m_sinceTails < kEventsBetweenTails)
        return;
    m_sinceTails = 0;
    publishTails(kMostUnpublished);
}

/// The same as merge(), where an event without its counterpart waits.
std::uint64_t ImageChannel::runStrictly(const RecorderClock &clock, bool isFinal, std::uint64_t horizon)
{
    std::uint64_t applied = 0;
    for (;;) {
        const std::uint64_t moved = runQueue(clock, horizon);
        applied += moved;
        // Whatever moved may be what others wait for. Once nothing moves, the oldest of those that were met before this pass looked
        // at all rings waits for something that was lost or came before tracing.
        if (moved == 0 && !acceptOldest(clock, isFinal))
            return applied;
        applied += moved == 0 ? 1 : 0;
        for (Ring *ring : std::exchange(m_waiting, {}))
            enqueue(*ring);
    }
}

/// Nearly all events are such: the next ones of a ring up to `limitUnits` that take no decision. Returns how many.
inline std::uint64_t ImageChannel::runPlainly(Ring &ring, const RecorderClock &clock, std::uint64_t limitUnits)
{
    HeapEvent event = ring.current;
    std::uint64_t applied = 0, position = ring.decoder.ring().position();
    while (event.units <= limitUnits && m_pairing.applyPlainly(event, clock.toUs(event.units), ring.thread)) {
        ++applied;
        HeapEvent next;
        if (position < ring.aheadUsable) [[likely]]
            next = EventDecoder::plain(ring.ahead[position % kMostAhead], event.units);
        if (next.type != wire::RecordType::None) [[likely]] {
            event = next;
            ++position;
            continue;
        }
        ring.decoder.skipTo(position, event.units);
        if (!lookAhead(ring)) {
            decodeNext(ring);
            if (ring.current.type == wire::RecordType::None)
                return applied;
            event = ring.current;
            position = ring.decoder.ring().position();
            continue;
        }
        event = EventDecoder::plain(ring.ahead[position % kMostAhead], event.units);
        ++position;
    }
    ring.decoder.skipTo(position, event.units);
    ring.current = event;
    return applied;
}

/// What is in the queue, up to `horizon`, in the order of stamps. Returns how many events were applied.
///
/// Busy threads have their events in turns that nobody can guess: to look for the next one among the rings takes as long as an event itself. So
/// what all rings have of a short window of time is collected, ring by ring, and then put in order.
std::uint64_t ImageChannel::merge(const RecorderClock &clock, std::uint64_t horizon)
{
    std::uint64_t applied = 0;
    for (;;) {
        std::erase_if(m_queue, [=](const Ring *ring) {
            return ring->current.type == wire::RecordType::None || ring->current.units > horizon;
        });
        if (m_queue.empty())
            return applied;
        if (m_queue.size() == 1) { // it is in order by itself
            applied += runAlone(*m_queue.front(), clock, horizon);
            continue;
        }
        std::uint64_t begin = UINT64_MAX;
        for (const Ring *ring : m_queue)
            begin = std::min(begin, ring->current.units);
        m_window.open(begin, horizon);
        for (Ring *ring : m_queue)
            collect(*ring);
        applyWindow(clock);
        applied += m_window.size();
        giveRoom(m_window.size());
    }
}

/// All events of a ring up to `lastUnits`.
std::uint64_t ImageChannel::runAlone(Ring &ring, const RecorderClock &clock, std::uint64_t lastUnits)
{
    std::uint64_t applied = 0;
    while (ring.current.type != wire::RecordType::None && ring.current.units <= lastUnits) {
        if (m_pairing.isPlain()) {
            applied += runPlainly(ring, clock, lastUnits);
            if (ring.current.type == wire::RecordType::None || ring.current.units > lastUnits)
                break;
        }
        m_pairing.settleBefore(ring.current.units);
        applyCurrent(ring, clock, EventPairing::Missing::Keep);
        ++applied;
    }
    return applied;
}

/// Adds the ring's events of the window to it. They have time to come until they are applied: their memory is asked for.
void ImageChannel::collect(Ring &ring)
{
    const model::LiveTable::Prefetcher live = m_pairing.prefetcher();
    const std::uint64_t last = m_window.last();
    while (ring.current.type != wire::RecordType::None && ring.current.units <= last && m_window.makeRoom()) {
        std::uint64_t units = addCurrent(ring);
        wire::RingReader reader = ring.decoder.ring();
        EventWindow::Adder adder(m_window, reader.available(), ring.thread);
        for (; adder.hasRoom(); reader.pop()) {
            const wire::Record record = reader.peek(0);
            const std::uint64_t next = units + record.timeDelta();
            if (!EventDecoder::isPlain(record) || next > last)
                break;
            units = next;
            adder.add(record.pointer(), record.second, units);
            live.prefetch(record.pointer());
        }
        m_window.take(adder);
        ring.decoder.skipTo(reader.position(), units);
        decodeNext(ring);
    }
}

/// Adds the ring's event, which is not later than the window, and returns when it counts as. What is not for the books, or takes more than a record
/// to tell, is kept aside: its entry has no type, and says which one it is.
std::uint64_t ImageChannel::addCurrent(Ring &ring)
{
    const HeapEvent &event = ring.current;
    // Only a hostile target's times go back: no other has one that is earlier than the window.
    const std::uint64_t units = std::max(event.units, m_window.begin());
    EventWindow::Adder adder(m_window, 1, ring.thread);
    if (event.type <= wire::RecordType::Order && !wire::Record::needsWide(event.pointer, event.size)) {
        adder.add(event.pointer, wire::Record::of(event.type, 0, event.size, event.node, 0).second, units);
        m_pairing.prefetcher().prefetch(event.pointer);
    } else {
        adder.add(m_aside.size(), 0, units);
        m_aside.push_back({event, &ring});
    }
    m_window.take(adder);
    return units;
}

void ImageChannel::applyWindow(const RecorderClock &clock)
{
    bool isPlain = m_pairing.isPlain();
    m_window.visit([&](const EventWindow::Entry &entry) {
        const HeapEvent event = entry.event();
        if (isPlain && m_pairing.applyPlainly(event, clock.toUs(event.units), *entry.thread)) [[likely]]
            return;
        applyUnusual(entry, clock);
        isPlain = m_pairing.isPlain();
    });
    m_aside.clear();
}

[[gnu::noinline]] void ImageChannel::applyUnusual(const EventWindow::Entry &entry, const RecorderClock &clock)
{
    m_pairing.settleBefore(entry.units);
    const HeapEvent event = entry.event();
    if (event.type == wire::RecordType::None)
        apply(m_aside[entry.pointer].event, *m_aside[entry.pointer].ring, clock, EventPairing::Missing::Keep);
    else
        m_pairing.apply(event, clock.toUs(event.units), *entry.thread, EventPairing::Missing::Keep);
}

std::uint64_t ImageChannel::runQueue(const RecorderClock &clock, std::uint64_t horizon)
{
    const auto isLater
        = [](const Ring *a, const Ring *b) { return a->turn != b->turn ? a->turn > b->turn : a->isLast && !b->isLast; };
    std::make_heap(m_queue.begin(), m_queue.end(), isLater);
    std::uint64_t applied = 0;
    while (!m_queue.empty()) {
        std::pop_heap(m_queue.begin(), m_queue.end(), isLater);
        Ring *ring = m_queue.back();
        m_queue.pop_back();
        if (ring->turn > horizon)
            continue;
        // Strictly in the order of stamps: a block that comes back in another thread before its free is applied would be taken for
        // a block that was never freed.
        const std::uint64_t limit = m_queue.empty() ? horizon : std::min(horizon, m_queue.front()->turn);
        const bool isSecondTry = ring->isStalled;
        const std::uint64_t done = run(*ring, clock, limit);
        applied += done;
        giveRoom(done);
        if (ring->current.type == wire::RecordType::None)
            continue;
        if (ring->isStalled && isSecondTry) {
            m_waiting.push_back(ring);
        } else if (ring->isStalled || ring->current.units <= horizon) {
            enqueue(*ring);
            std::push_heap(m_queue.begin(), m_queue.end(), isLater);
        }
    }
    return applied;
}

void ImageChannel::enqueue(Ring &ring)
{
    // One that waits has its turn after everything that can have been before it, stamps in the wrong order included.
    ring.turn = ring.current.units + (ring.isStalled ? kSkewUnits : 0);
    m_queue.push_back(&ring);
}

std::uint64_t ImageChannel::run(Ring &ring, const RecorderClock &clock, std::uint64_t limitUnits)
{
    std::uint64_t applied = 0;
    do {
        if (!ring.isStalled && !ring.isLast && m_pairing.isPlain()) {
            applied += runPlainly(ring, clock, limitUnits);
            if (ring.current.type == wire::RecordType::None || ring.current.units > limitUnits)
                break;
        }
        bool isApplied = applyCurrent(ring, clock, EventPairing::Missing::Wait);
        if (!isApplied && !ring.isLast && !ring.isStalled) {
            ring.isLast = true; // once more after the events of the same moment, before others run ahead
            break;
        }
        if (!isApplied && needsNoCounterpart(ring))
            isApplied = applyCurrent(ring, clock, EventPairing::Missing::Accept);
        if (!isApplied) {
            if (!ring.isStalled)
                ring.stalledInPass = m_pass;
            m_stalledRings += ring.isStalled ? 0 : 1;
            ring.isStalled = true;
            break;
        }
        ++applied;
    } while (ring.current.type != wire::RecordType::None && ring.current.units <= limitUnits);
    return applied;
}

/// Copies records that come next, and asks for the memory that they will touch, some at a time: those before `aheadUsable` may be used now, those
/// behind it have time until their memory is there. False if the next one is not for runPlainly().
bool ImageChannel::lookAhead(Ring &ring)
{
    const wire::RingReader &reader = ring.decoder.ring();
    const std::uint64_t position = reader.position(), end = position + reader.available();
    if (!ring.decoder.isAtRecord() || position == end)
        return false;
    std::uint64_t next = std::max(ring.aheadEnd, position);
    if (next < position + kLeastAhead) {
        wire::Record *const ahead = ring.ahead.data();
        const std::uint64_t wanted = std::min(position + kMostAhead, end);
        for (const wire::RingReader copy = reader; next < wanted; ++next) {
            const wire::Record record = copy.peek(next - position);
            ahead[next % kMostAhead] = record;
            m_pairing.prefetcher().prefetch(record.pointer());
        }
        ring.aheadEnd = next;
    }
    ring.aheadUsable = next == end ? end : next - kLeastAhead + 1;
    return EventDecoder::plain(ring.ahead[position % kMostAhead], 0).type != wire::RecordType::None;
}

void ImageChannel::decodeNext(Ring &ring)
{
    ring.decoder.next(ring.current);
    ring.aheadEnd = ring.aheadUsable = 0; // what comes may lie in another ring
}

bool ImageChannel::acceptOldest(const RecorderClock &clock, bool isFinal)
{
    Ring *oldest = nullptr;
    for (Ring *ring : m_waiting) {
        // One that was met in this pass may get what it waits for in the next, and what others wait for may be behind it.
        if (!isFinal && ring->stalledInPass == m_pass)
            return false;
        if (!oldest || ring->current.units < oldest->current.units)
            oldest = ring;
    }
    if (!oldest)
        return false;
    applyCurrent(*oldest, clock, EventPairing::Missing::Accept);
    if (oldest->current.type == wire::RecordType::None)
        std::erase(m_waiting, oldest);
    return true;
}

bool ImageChannel::applyCurrent(Ring &ring, const RecorderClock &clock, EventPairing::Missing missing)
{
    if (!apply(ring.current, ring, clock, missing))
        return false;
    m_stalledRings -= ring.isStalled ? 1 : 0;
    ring.isStalled = false;
    ring.isLast = false;
    decodeNext(ring);
    return true;
}

/// False if the event must wait.
bool ImageChannel::apply(const HeapEvent &event, Ring &ring, const RecorderClock &clock, EventPairing::Missing missing)
{
    if (isQuestion(event))
        takeQuestion(event, ring);
    else if (ProgramEvents::isOne(event.type))
        m_program.apply(event, clock.toNs(event.units), ring.slot, ring.tid);
    else
        return m_pairing.apply(event, clock.toUs(event.units), ring.thread, missing) != EventPairing::Verdict::MustWait;
    return true;
}

/// Where frees of unknown blocks are many, an event without its counterpart must not wait for a pass in which nothing moves: it would wait for
/// long, others would run ahead of all that is behind it, and then wait for it in turn. So all is applied in the order of its stamps.
bool ImageChannel::isInStrictOrder() const { return m_hasEarlierBlocks || m_pairing.lastOrder() > 0; }

/// Whether no counterpart of the ring's event can come: for the free of a block that need not be known, once all of the same moment is applied;
/// for others, once all is that clocks may have stamped wrongly.
bool ImageChannel::needsNoCounterpart(const Ring &ring) const
{
    const bool isFree
        = ring.current.type == wire::RecordType::Free || ring.current.type == wire::RecordType::ReallocBegin;
    const bool isExpected = isFree && (m_hasEarlierBlocks || m_pairing.expectsUnknown(ring.current, ring.thread));
    if (!isExpected && !ring.isStalled)
        return false;
    // What was to come before may be behind an event that waits.
    return m_stalledRings == 0 || std::none_of(m_active.begin(), m_active.end(), [&](const Ring *other) {
        return other != &ring && other->isStalled && other->current.units <= ring.current.units;
    });
}

} // namespace capture
