// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/heap/event_decoder.h"
#include "model/heap/heap_ledger.h"
#include "model/heap/live_heap.h"

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
};

/// What could not be paired, since the last take.
struct PairingLosses
{
    std::int64_t unknownFrees = 0; ///< of blocks from before tracing, or whose allocation was lost
    std::int64_t missedFrees = 0;  ///< blocks whose address came back although no free was seen
    std::int64_t badRecords = 0;
};

/// Pairs the allocations and frees of one image, pointer by pointer, and keeps its books.
///
/// Events of different threads can reach the recorder out of order. A free is published before the allocator is called and
/// an allocation after it returned, so whatever an event needs was published before it: an event that cannot be
/// applied yet says so, and the caller brings the other rings up to date and tries again.
///
/// Where bytes are sampled, an event stands for more than itself (model::SampleWeights), and the target says itself which frees are
/// those of a thread's last allocation: what was not sampled in between is not seen here.
class EventPairing
{
public:
    EventPairing() = default;
    explicit EventPairing(std::uint64_t samplePeriodBytes, model::Duration ageBucket = model::kFirstAgeBucket)
        : m_weights(samplePeriodBytes)
        , m_ledger(m_weights.isSampling(), ageBucket)
    {
    }

    enum class Verdict : std::uint8_t {
        Applied,
        MustWait, ///< for an event of another ring; nothing was changed
    };
    /// What to do with an event whose counterpart is missing.
    enum class Missing : std::uint8_t {
        Wait,
        Accept, ///< no other ring can have it: it was lost or came before tracing; counted
    };

    Verdict apply(const HeapEvent &event, std::int64_t timeNs, ThreadHistory &thread, Missing missing);

    /// The thread ended: a block that was inside a realloc is live again.
    void endThread(ThreadHistory &thread);

    void prefetch(std::uint64_t pointer) const { m_live.prefetch(pointer); }

    std::uint64_t samplePeriodBytes() const { return m_weights.periodBytes(); }
    const model::LiveHeap &live() const { return m_live; }
    model::HeapLedger &ledger() { return m_ledger; }
    PairingLosses takeLosses();

    /// What changed in the histories of ages up to `nowNs`; before the ledger's takeTick(). Nothing until a bucket ends.
    struct AgeChanges
    {
        std::vector<std::pair<std::uint32_t, model::StackAges>> stacks; ///< by node
        model::AgeClock clock;
    };
    std::optional<AgeChanges> takeAges(std::int64_t nowNs);

private:
    Verdict allocate(const HeapEvent &event, std::int64_t timeNs, ThreadHistory &thread, Missing missing);
    Verdict release(const HeapEvent &event, std::int64_t timeNs, ThreadHistory &thread, Missing missing);
    Verdict beginRealloc(const HeapEvent &event, ThreadHistory &thread, Missing missing);
    Verdict endRealloc(const HeapEvent &event, std::int64_t timeNs, ThreadHistory &thread, Missing missing);

    /// Whether the block at `pointer` was its thread's last allocation when it was freed by `event`.
    bool isTemporary(const HeapEvent &event, const ThreadHistory &thread) const
    {
        return m_weights.isSampling() ? event.node != 0 : thread.lastAllocation == event.pointer;
    }

    model::SampleWeights m_weights;
    model::LiveHeap m_live;
    model::HeapLedger m_ledger;
    PairingLosses m_losses;
    std::size_t m_place = 0; ///< in the live table: where the look for examples goes on
};

} // namespace capture
