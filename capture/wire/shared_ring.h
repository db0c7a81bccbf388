// SPDX-License-Identifier: MIT
#pragma once

#include "capture/wire/layout.h"

#include <cstdint>

namespace capture::wire {

/// The writing end of a thread's ring. Used by that thread alone; holds what it need not read from shared memory.
/// Nothing is ever overwritten: a writer that finds no room says so and the caller waits or drops and counts.
class RingWriter
{
public:
    enum class Room : std::uint8_t {
        Plenty,
        HalfFull, ///< there is room, and the recorder should be woken
        Full,
    };

    RingWriter() = default;
    /// Goes on where the slot's last owner ended. The slot must have been taken by this thread.
    RingWriter(MemoryView memory, ThreadSlot &slot)
        : m_head(slot.head.load(std::memory_order_relaxed))
        , m_plainLimit(m_head)
        , m_slot(&slot)
        , m_memory(memory)
        , m_ring(memory.ring(slot.ringOffset))
        , m_records(slot.ringRecords)
        , m_base(slot.ringBase)
        , m_limit(m_head)
    {
    }

    /// True if there is room for one record at once, without looking at anything shared: for addPlain().
    bool hasPlainRoom() const { return m_head < m_plainLimit; }
    /// Adds one record and publishes it.
    void addPlain(Record record)
    {
        // The line that is written some events later: the recorder has read it the round before, and to take it back from there would hold up
        // all stores behind it (25 ns a pair of events). Behind the ring it does nothing.
        asm volatile("prefetchw %0" : : "m"(m_next[kRecordsAhead]));
        *m_next++ = record;
        ++m_head;
        publish();
    }

    /// True if `count` records fit without looking at the recorder's position: one comparison.
    bool hasRoom(std::uint32_t count) const { return m_head + count <= m_limit; }

    /// Looks at the recorder's position. One record is always kept for a Jump.
    Room refresh(std::uint32_t count)
    {
        const std::uint64_t tail = m_slot->tail.load(std::memory_order_seq_cst); // see RingReader::publish()
        const std::uint64_t start = tail > m_base ? tail : m_base;
        if (m_head + count <= start + m_records / 2) {
            m_limit = start + m_records / 2;
            return Room::Plenty;
        }
        if (m_head + count > start + m_records - 1)
            return Room::Full;
        m_limit = start + m_records - 1;
        return Room::HalfFull;
    }

    /// Adds a record; it is seen by the recorder at the next publish(). There must be room.
    void add(Record record)
    {
        m_ring[(m_head - m_base) & (m_records - 1)] = record;
        ++m_head;
        findPlainRoom();
    }
    void publish() { m_slot->head.store(m_head, std::memory_order_release); }

    /// Moves to the larger ring that the recorder offers, if it does. Room for the Jump has been kept.
    bool takeOffer()
    {
        const std::uint64_t offer = m_slot->offer.load(std::memory_order_acquire);
        if (offer == 0)
            return false;
        m_slot->offer.store(0, std::memory_order_relaxed);
        add({0, static_cast<std::uint64_t>(RecordType::Jump)});
        m_ring = m_memory.ring(offeredOffset(offer));
        m_records = std::uint64_t{1} << offeredRecordBits(offer);
        m_base = m_head;
        m_limit = m_head;
        findPlainRoom();
        publish();
        return true;
    }

    /// Goes on behind what was published last, whatever the thread was about to add: it left for good, but not out of takeOffer().
    void forgetUnpublished()
    {
        m_head = m_slot->head.load(std::memory_order_relaxed);
        findPlainRoom();
    }

    ThreadSlot &slot() const { return *m_slot; }

private:
    static constexpr std::uint64_t kRecordsAhead = 32;

    /// What lies in one piece before the limit and before the ring's end.
    void findPlainRoom()
    {
        const std::uint64_t at = (m_head - m_base) & (m_records - 1);
        m_next = m_ring + at;
        m_plainLimit = m_limit < m_head + m_records - at ? m_limit : m_head + m_records - at;
    }

    // What addPlain() needs stands together.
    Record *m_next = nullptr; ///< of m_ring, for the record at m_head, while hasPlainRoom()
    std::uint64_t m_head = 0;
    std::uint64_t m_plainLimit = 0;
    ThreadSlot *m_slot = nullptr;
    MemoryView m_memory;
    Record *m_ring = nullptr;
    std::uint64_t m_records = 0;
    std::uint64_t m_base = 0;
    std::uint64_t m_limit = 0;
};

/// The reading end. Used by the recorder alone. Trusts nothing the target can write: the ring's place and size are its
/// own copies, positions are checked, records are copied once.
class RingReader
{
public:
    RingReader() = default;
    /// `ringOffset` and `ringRecords` (a power of two) must lie in the ring area: they are the recorder's own figures.
    RingReader(MemoryView memory, ThreadSlot &slot, std::uint64_t ringOffset, std::uint32_t ringRecords)
        : m_memory(memory)
        , m_slot(&slot)
        , m_offset(ringOffset)
        , m_records(ringRecords)
    {
    }

    /// Takes note of what the target has published. False if its position cannot be true; then all that was
    /// unread is given up, and reading goes on at the position it claims.
    bool refresh()
    {
        const std::uint64_t head = m_slot->head.load(std::memory_order_acquire);
        const std::uint64_t most = m_records + (m_offeredRecords != 0 ? m_offeredRecords : 0);
        if (head < m_tail || head - m_tail > most) {
            m_tail = head;
            m_head = head;
            return false;
        }
        m_head = head;
        return true;
    }

    std::uint64_t available() const { return m_head - m_tail; }
    std::uint64_t position() const { return m_tail; }
    std::uint64_t records() const { return m_records; }
    std::uint64_t offset() const { return m_offset; }
    std::uint64_t offeredRecords() const { return m_offeredRecords; }

    /// A copy of the record `ahead` places after the next; `ahead` < available().
    Record peek(std::uint64_t ahead) const
    {
        const Record &record = m_memory.ring(m_offset)[(m_tail + ahead - m_base) & (m_records - 1)];
        return {__atomic_load_n(&record.first, __ATOMIC_RELAXED), __atomic_load_n(&record.second, __ATOMIC_RELAXED)};
    }
    void pop() { ++m_tail; }

    /// Lets the target write over what was read. True if its thread waits for that and must be woken at slot().space.
    bool publish()
    {
        // The position before the question, as the target says that it waits before it looks at the position: four accesses
        // in one order. No fence: the thread sanitizer knows none.
        m_published = m_tail;
        m_slot->tail.store(m_tail, std::memory_order_seq_cst);
        if (m_slot->waiting.load(std::memory_order_seq_cst) == 0)
            return false;
        m_slot->space.fetch_add(1, std::memory_order_seq_cst);
        return true;
    }

    /// Records that were read since the last publish().
    std::uint64_t unpublished() const { return m_tail - m_published; }

    /// Offers a larger ring; at most one offer stands at a time.
    void offer(std::uint64_t offset, unsigned recordBits)
    {
        m_offeredOffset = offset;
        m_offeredRecords = std::uint64_t{1} << recordBits;
        m_slot->offer.store(ringOffer(offset, recordBits), std::memory_order_release);
    }
    /// The target's Jump has just been popped: goes on in the ring that was offered. False if none was: a bad record.
    bool follow()
    {
        if (m_offeredRecords == 0)
            return false;
        m_offset = m_offeredOffset;
        m_records = m_offeredRecords;
        m_offeredRecords = 0;
        m_base = m_tail;
        return true;
    }
    /// Writes the ring's place into the slot for its next owner, a larger one if that was on offer. Only while no
    /// thread owns the slot and everything in it was read.
    void describe()
    {
        follow();
        m_slot->offer.store(0, std::memory_order_relaxed);
        m_slot->ringOffset = m_offset;
        m_slot->ringRecords = static_cast<std::uint32_t>(m_records);
        m_slot->ringBase = m_base;
    }

    ThreadSlot &slot() const { return *m_slot; }

private:
    MemoryView m_memory;
    ThreadSlot *m_slot = nullptr;
    std::uint64_t m_offset = 0;
    std::uint64_t m_records = 0;
    std::uint64_t m_base = 0;
    std::uint64_t m_tail = 0;
    std::uint64_t m_published = 0;
    std::uint64_t m_head = 0;
    std::uint64_t m_offeredOffset = 0;
    std::uint64_t m_offeredRecords = 0;
};

} // namespace capture::wire
