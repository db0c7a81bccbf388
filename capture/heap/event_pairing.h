// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/heap/event_decoder.h"
#include "capture/heap/huge_pages.h"
#include "capture/heap/scope_book.h"
#include "capture/heap/unsettled_blocks.h"
#include "capture/wire/sampled_blocks.h"
#include "model/heap/heap_ledger.h"
#include "model/heap/live_table.h"

#include <array>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace capture {

/// What of a thread's events the next one depends on.
struct ThreadHistory
{
    std::uint64_t lastAllocation = 0; ///< the thread's last block; 0: none
    bool isInRealloc = false;
    bool isTemporaryRealloc = false;
    std::uint64_t reallocPointer = 0;
    std::optional<model::LiveBlock> reallocBlock; ///< taken out of the live table until the realloc ends
    std::uint32_t reallocFlags = 0;               ///< of its begin: wire::kFreed…
    bool isReallocUnsampled = false;              ///< its block need not be known: it is not sampled
    std::uint32_t order = 0;                      ///< the number of the order that its records follow
    bool hasNewOrder = false;                     ///< since its last event
};

/// What could not be paired, since the last take.
struct PairingLosses
{
    std::int64_t unknownFrees = 0; ///< of blocks from before tracing, or whose allocation was lost
    std::int64_t missedFrees = 0;  ///< blocks whose address came back although no free was seen
    std::int64_t badRecords = 0;
    std::int64_t overtaken = 0; ///< allocations that a step of the sampling came before
    std::int64_t notKept = 0;   ///< blocks that a step would have kept but that nobody could have followed
};

/// Pairs the allocations and frees of one image, pointer by pointer, and keeps its books.
///
/// Events of different threads can come out of order. A free is published before the allocator is called and an allocation after it
/// returned, so whatever an event needs was published before it, but may be stamped a moment later. What an event without its
/// counterpart does is the caller's choice: it is kept until the counterpart comes (UnsettledBlocks), or says that it must wait, and the
/// caller brings the other rings up to date and tries again.
///
/// Where bytes are sampled, an event stands for more than itself (model::SampleWeights), and the target says itself which frees are
/// those of a thread's last allocation: what was not sampled in between is not seen here. How blocks are recorded may change (an order,
/// see wire::Header); each block keeps the period that it was recorded with, and wire::SampledBlocks holds exactly the live ones that
/// were sampled or kept: of a block that was kept, but had been freed before, the entry is taken out here.
class EventPairing
{
public:
    EventPairing() = default;
    explicit EventPairing(std::uint64_t samplePeriodBytes, model::Duration ageBucket = model::kFirstAgeBucket);

    enum class Verdict : std::uint8_t {
        Applied,
        MustWait, ///< for an event of another ring; nothing was changed
    };
    /// What to do with an event whose counterpart is missing.
    enum class Missing : std::uint8_t {
        Keep,   ///< it comes within UnsettledBlocks::kSkewUnits if at all: nothing waits; see settleBefore()
        Wait,   ///< the event is not applied
        Accept, ///< no other ring can have it: it was lost or came before tracing; counted
    };

    Verdict apply(const HeapEvent &event, std::int64_t timeUs, ThreadHistory &thread, Missing missing);

    /// All that is stamped before `units` has been applied: what was kept and still misses its counterpart has none, and is counted.
    void settleBefore(std::uint64_t units);
    /// Whether no event is kept for its counterpart.
    bool isSettled() const { return m_unsettled.isEmpty(); }

    /// Whether applyPlainly() may be asked: every event is and was recorded, nothing is unsettled, and nobody asks about parts of the run.
    bool isPlain() const
    {
        return m_orders.size() == 1 && m_orders.front().period == 0 && m_unsettled.isEmpty() && !m_hasEarlyFrees
            && !m_scopes.isOpen();
    }
    /// Applies a Malloc or Free as apply() would, where isPlain(): the shortest way, inlined. False: nothing was done, ask apply().
    [[gnu::always_inline]] bool applyPlainly(const HeapEvent &event, std::int64_t timeUs, ThreadHistory &thread)
    {
        if (event.type == wire::RecordType::Malloc) {
            const std::int64_t birthUs = m_ledger.bornAt(timeUs);
            if (!model::LiveEntry::canHold(event.pointer, event.size, birthUs)) [[unlikely]] {
                if (!m_live.insert(event.pointer, {event.size, event.node, birthUs, 0}))
                    return false;
            } else if (!m_live.insertUsual(event.pointer,
                           model::LiveEntry(event.pointer, event.size, event.node, birthUs))) [[unlikely]] {
                return false;
            }
            m_ledger.allocatedOne(event.node, event.size, timeUs);
            thread.lastAllocation = event.pointer;
            return true;
        }
        if (event.type != wire::RecordType::Free) [[unlikely]]
            return false;
        const bool isTemporary = thread.lastAllocation == event.pointer;
        model::LiveEntry entry;
        if (m_live.takeUsual(event.pointer, entry)) [[likely]]
            m_ledger.freedOne(entry.node(), entry.size(), entry.birthUs(), timeUs, isTemporary);
        else if (!freeUnusual(event.pointer, timeUs, isTemporary))
            return false;
        if (isTemporary)
            thread.lastAllocation = 0; // the next block at this address is another one
        return true;
    }

    /// Whether blocks can be recorded with this period: a recording knows at most model::kLivePeriods of them.
    bool knowsPeriod(std::uint64_t samplePeriodBytes) const;
    /// The next order, in the order of their numbers, given at `units`; the first one is the constructor's.
    void addOrder(std::uint64_t samplePeriodBytes, bool tellsAllFrees, std::uint64_t units);
    /// The number of the last order.
    std::uint32_t lastOrder() const { return static_cast<std::uint32_t>(m_orders.size() - 1); }

    /// Thins the blocks that were recorded one by one, those inside the reallocs of `threads` too, to samples of the last order's period,
    /// and enters what is kept into `followed`. From now on an allocation that was recorded in full came too late.
    /// Returns the variance of live bytes that this brought.
    double thin(const wire::SampledBlocks &followed, std::uint64_t seed, const std::vector<ThreadHistory *> &threads);
    /// Whether the block that `free` of `thread` tells of need not be known: the thread tells all frees, and not all allocations were told; or
    /// it found what the recorder had entered for a block that was being freed just then.
    bool expectsUnknown(const HeapEvent &free, const ThreadHistory &thread) const
    {
        if ((free.node & (wire::kFreedFollowed | wire::kFreedKept)) != 0)
            return (free.node & wire::kFreedFollowed) == 0;
        const KnownOrder &order = m_orders[thread.order];
        // A thread that has not heard of the next order yet may free what others have not told of.
        return order.tellsAllFrees
            && (order.period != 0 || order.isAfterSampling
                || (thread.order < lastOrder() && free.units >= m_orders[thread.order + 1].units));
    }
    /// The set of the image, once there is one.
    void setFollowed(const wire::SampledBlocks &followed) { m_followed = followed; }

    /// The thread ended by `units`: a block that was inside a realloc is live again.
    void endThread(ThreadHistory &thread, std::uint64_t units);

    /// Asks for memory that coming events will touch; until the next one is applied.
    model::LiveTable::Prefetcher prefetcher() const { return m_live.prefetcher(); }

    /// Whether blocks are sampled or ever were: not all that are live need be known.
    bool hasSampled() const { return m_orders.back().isAfterSampling || m_orders.back().period != 0; }
    /// Of the last order.
    std::uint64_t samplePeriodBytes() const { return weightsOf(m_orders.back().period).periodBytes(); }
    const model::LiveTable &live() const { return m_live; }
    model::HeapLedger &ledger() { return m_ledger; }
    /// Parts of the program's run that it asks about; told of each block here.
    ScopeBook &scopes() { return m_scopes; }
    PairingLosses takeLosses();

    /// What changed in the histories of ages up to `nowNs`; before the ledger's takeTick(). Nothing until a bucket ends.
    struct AgeChanges
    {
        std::vector<std::pair<std::uint32_t, model::StackAges>> stacks; ///< by node
        model::AgeClock clock;
    };
    std::optional<AgeChanges> takeAges(std::int64_t nowNs);

private:
    bool freeUnusual(std::uint64_t pointer, std::int64_t timeUs, bool isTemporary);
    Verdict allocate(const HeapEvent &event, std::int64_t timeUs, ThreadHistory &thread, Missing missing);
    Verdict release(const HeapEvent &event, std::int64_t timeUs, ThreadHistory &thread, Missing missing);
    Verdict beginRealloc(const HeapEvent &event, std::int64_t timeUs, ThreadHistory &thread, Missing missing);
    Verdict endRealloc(const HeapEvent &event, std::int64_t timeUs, ThreadHistory &thread, Missing missing);

    UnsettledEvent freeOf(const HeapEvent &event, std::int64_t timeUs, ThreadHistory &thread) const;
    void countAllocation(std::uint64_t pointer, const UnsettledEvent &made);
    void countFree(std::uint64_t pointer, const model::LiveBlock &block, const UnsettledEvent &free);
    void missFreeBefore(std::uint64_t pointer, const UnsettledEvent &made);
    UnsettledAddress *unsettledAt(std::uint64_t pointer);
    UnsettledAddress &openUnsettled(std::uint64_t pointer, bool wasLive);
    void settle(UnsettledAddress &address);
    Verdict takeOrder(const HeapEvent &event, ThreadHistory &thread);
    std::uint8_t periodOf(std::uint64_t samplePeriodBytes);
    const model::SampleWeights &weightsOf(std::uint8_t period) const { return m_weights[period]; }
    model::SampleWeight weightOf(std::uint64_t pointer, const model::LiveBlock &block) const
    {
        return m_weights[block.period].of(pointer, block);
    }
    bool isSampling(const ThreadHistory &thread) const { return m_orders[thread.order].period != 0; }
    /// The free of a block that need not be known came a moment before its allocation did: clocks of processors differ by some ns.
    bool cameEarly(const HeapEvent &allocation, const ThreadHistory &thread);
    void keepEarly(const HeapEvent &free, const ThreadHistory &thread);
    /// The block at `pointer` is gone; its free or the begin of its realloc had `flags`.
    void leaveFollowed(std::uint64_t pointer, std::uint32_t flags, const model::LiveBlock &block) const
    {
        if (block.period != 0 && (flags & (wire::kFreedFollowed | wire::kFreedKept)) == 0 && m_followed.capacity() != 0)
            m_followed.removeKept(pointer);
    }

    /// Whether the block at `pointer` was its thread's last allocation when it was freed by `event`.
    bool isTemporary(const HeapEvent &event, const ThreadHistory &thread) const
    {
        return isSampling(thread) ? (event.node & wire::kFreedLast) != 0 : thread.lastAllocation == event.pointer;
    }

    struct KnownOrder
    {
        std::uint8_t period = 0; ///< as in model::LiveBlock
        bool tellsAllFrees = true;
        bool isAfterSampling = false; ///< an earlier one sampled
        std::uint64_t units = 0;      ///< when it was given, in clock units
    };
    std::vector<model::SampleWeights> m_weights{model::SampleWeights()}; ///< by model::LiveBlock::period
    std::vector<KnownOrder> m_orders{KnownOrder{}};                      ///< by number
    bool m_isThinned = false;                                            ///< to the last order's period
    wire::SampledBlocks m_followed;
    struct EarlyFree
    {
        HeapEvent event;
        const ThreadHistory *thread = nullptr;
    };
    std::array<EarlyFree, 256> m_earlyFrees{}; ///< by address; a younger one takes an older one's place
    bool m_hasEarlyFrees = false;
    UnsettledBlocks m_unsettled;
    model::LiveTable m_live{hugePages()};
    model::HeapLedger m_ledger{false, model::kFirstAgeBucket, hugePages()};
    ScopeBook m_scopes;
    PairingLosses m_losses;
    std::size_t m_place = 0; ///< in the live table: where the look for examples goes on
};

} // namespace capture
