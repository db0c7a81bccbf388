// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/wire/shared_ring.h"
#include "model/heap/live_heap.h"

#include <cstdint>

namespace capture {

/// Of five page table levels: no address and no size of a program is as large.
inline constexpr std::uint64_t kMostAddress = std::uint64_t{1} << 57;
/// What the books of live blocks have room for.
inline constexpr std::uint64_t kMostEventBytes = model::kMostLiveBytes;

/// An event of a ring, put together from its records.
struct HeapEvent
{
    wire::RecordType type = wire::RecordType::None; ///< None: there is none
    std::uint32_t node = 0;
    std::uint64_t pointer = 0;
    std::uint64_t size = 0;
    std::uint64_t units = 0; ///< when, in clock units
};

/// Reads events from one ring. What is no event (a hostile or damaged target) is skipped and counted, never trusted.
class EventDecoder
{
public:
    EventDecoder() = default;
    explicit EventDecoder(wire::RingReader ring)
        : m_ring(ring)
    {
    }

    wire::RingReader &ring() { return m_ring; }
    const wire::RingReader &ring() const { return m_ring; }

    /// The next event of what the last ring().refresh() saw; type None if there is no whole one. An event's records
    /// are published together, so a half one is never waited for.
    HeapEvent next()
    {
        HeapEvent event;
        next(event);
        return event;
    }
    /// The same into `event`: a copy of what was just written in parts would stall each time.
    void next(HeapEvent &event);

    /// A new thread goes on in this ring.
    void startThread();

    /// The ring that was left by a Jump since the last call: to be given back. records 0: none.
    struct LeftRing
    {
        std::uint64_t offset = 0;
        std::uint32_t records = 0;
    };
    LeftRing takeLeftRing();

    /// The thread's clock stood at `units` at the last event, whatever it said: what comes counts on from there.
    void setTime(std::uint64_t units) { m_units = units; }

    /// When the last event was; 0: there was none.
    std::uint64_t time() const { return m_units; }

    /// Records that made no sense, since the last call.
    std::uint64_t takeBadRecords();

    /// Whether the next event, if its record is plain(), is all of that record.
    bool isAtRecord() const { return (m_widePointer | m_wideSize) == 0; }
    /// Whether a record is an event of its own: a Malloc or Free. Such records can be looked at in the ring and skipped.
    static bool isPlain(const wire::Record &record)
    {
        const wire::RecordType type = record.type();
        return (type == wire::RecordType::Malloc || type == wire::RecordType::Free) && record.pointer() != 0;
    }
    /// The event at `units` that a record tells of by itself.
    static HeapEvent of(const wire::Record &record, std::uint64_t units)
    {
        return {record.type(), record.node(), record.pointer(), record.size(), units};
    }
    /// What a plain record says; of others type None. `lastUnits`: when the thread's last event was.
    static HeapEvent plain(const wire::Record &record, std::uint64_t lastUnits)
    {
        HeapEvent event = of(record, lastUnits + record.timeDelta());
        event.type = isPlain(record) ? event.type : wire::RecordType::None;
        return event;
    }
    /// What lies before `position` were plain records; the last of them was an event at `units`.
    void skipTo(std::uint64_t position, std::uint64_t units)
    {
        while (m_ring.position() != position)
            m_ring.pop();
        m_units = units;
    }

private:
    void jump();

    wire::RingReader m_ring;
    std::uint64_t m_units = 0;
    std::uint64_t m_widePointer = 0;
    std::uint64_t m_wideSize = 0;
    std::uint64_t m_badRecords = 0;
    LeftRing m_left;
};

} // namespace capture
