// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/heap/live_heap.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace capture {

struct ThreadHistory;

/// Something that happened to an address whose events are in the wrong order.
struct UnsettledEvent
{
    std::uint64_t units = 0; ///< its stamp, in clock units
    std::int64_t timeUs = 0; ///< the same in microseconds of the recording
    ThreadHistory *thread = nullptr;
    bool isFree = false; ///< or the begin of a realloc; else a block was allocated
    // Of a free:
    bool isTemporary = false;
    bool isRealloc = false;  ///< which goes on: the block is its thread's until it ends
    std::uint32_t flags = 0; ///< wire::kFreed…
    // Of a block:
    bool isCounted = false; ///< its allocation is in the books
    model::LiveBlock block;
};

/// An address of which a free came although nothing was live there, or a block although one was, and what has happened to it since.
struct UnsettledAddress
{
    std::uint64_t pointer = 0;
    bool wasLive = false;               ///< a block was live there before
    std::int64_t surplus = 0;           ///< blocks minus frees, that one included
    std::uint64_t oddUnits = 0;         ///< stamp of the last event that cannot have happened then
    std::vector<UnsettledEvent> events; ///< as they came

    bool isFull() const { return events.size() >= 256; }
    void add(const UnsettledEvent &event);
    /// After `surplus` has changed at `units`.
    void noteIfOdd(std::uint64_t units);

    /// Which block is live now, where one is: index of its event, or nothing for the one from before.
    ///
    /// It is the block that was allocated last, and stamps of different threads do not tell that alone. But blocks and frees took turns, and each
    /// thread's events happened in their order: of the blocks that can have been the last then, the one that is stamped last is taken.
    std::optional<std::size_t> lastBlock() const;

private:
    std::vector<bool> possibleLasts() const;
};

/// The addresses whose events are in the wrong order, until what belongs before them has come.
///
/// The rings are merged by time stamps, and a stamp may be earlier than its event by less than kSkewUnits, each by another amount. So the free of
/// a block by one thread can come before the allocation by another, and an allocation before the free of the block that had its address. A
/// free names no block, only an address: which of several blocks it ends is nowhere to be seen. But all of them except for the last are ended, so
/// once everything is there only their number matters, and which is the last. A few addresses at a time; one owning thread.
///
/// What was paired before the first event that cannot have happened then is not looked at again. So counts are always right, but the block
/// taken for the last can be one before it at its address: of a thousand events in the wrong order it is fewer than five (stamp_order_test).
class UnsettledBlocks
{
public:
    /// By how much a stamp can be too early, in clock units: about 1.6 µs, three times what was seen of stamps without fences.
    static constexpr std::uint64_t kSkewUnits = 64;

    bool isEmpty() const { return m_addresses.empty(); }
    /// No more are to be kept.
    bool isFull() const { return m_addresses.size() >= 256; }

    /// Null if the events of `pointer` are in order.
    UnsettledAddress *find(std::uint64_t pointer);
    UnsettledAddress &open(std::uint64_t pointer, bool wasLive);

    /// Where the realloc waits that `thread` is in and whose block is not known yet; null if there is none.
    UnsettledEvent *reallocOf(const ThreadHistory *thread);
    /// It failed at `units`.
    void removeReallocOf(const ThreadHistory *thread, std::uint64_t units);

    /// One of those for which nothing can come once all is applied that is stamped before `units`, or that are full.
    std::optional<UnsettledAddress> takeBefore(std::uint64_t units);

private:
    std::vector<UnsettledAddress> m_addresses;
};

} // namespace capture
