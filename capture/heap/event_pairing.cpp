// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/heap/event_pairing.h"

#include <algorithm>
#include <utility>

namespace capture {

static_assert(wire::kLeastSampledBytes == model::kLeastSampledBytes);

EventPairing::Verdict EventPairing::apply(
    const HeapEvent &event, std::int64_t timeNs, ThreadHistory &thread, Missing missing)
{
    switch (event.type) {
    case wire::RecordType::Malloc:
        return allocate(event, timeNs, thread, missing);
    case wire::RecordType::Free:
        return release(event, timeNs, thread, missing);
    case wire::RecordType::ReallocBegin:
        return beginRealloc(event, thread, missing);
    case wire::RecordType::ReallocEnd:
        return endRealloc(event, timeNs, thread, missing);
    case wire::RecordType::ReallocFailed:
        endThread(thread);
        return Verdict::Applied;
    default:
        ++m_losses.badRecords;
        return Verdict::Applied;
    }
}

EventPairing::Verdict EventPairing::allocate(
    const HeapEvent &event, std::int64_t timeNs, ThreadHistory &thread, Missing missing)
{
    const model::LiveBlock block{event.size, event.node, m_ledger.bornAt(timeNs)};
    if (!m_live.insert(event.pointer, block)) {
        if (missing == Missing::Wait)
            return Verdict::MustWait;
        ++m_losses.missedFrees;
        const model::LiveBlock old = *m_live.take(event.pointer);
        m_ledger.freed(old, m_weights.of(event.pointer, old), timeNs, false);
        m_live.insert(event.pointer, block);
    }
    m_ledger.allocated(event.node, event.size, m_weights.of(event.pointer, block), timeNs);
    thread.lastAllocation = event.pointer;
    return Verdict::Applied;
}

EventPairing::Verdict EventPairing::release(
    const HeapEvent &event, std::int64_t timeNs, ThreadHistory &thread, Missing missing)
{
    const std::optional<model::LiveBlock> block = m_live.take(event.pointer);
    if (block) {
        m_ledger.freed(*block, m_weights.of(event.pointer, *block), timeNs, isTemporary(event, thread));
    } else {
        if (missing == Missing::Wait)
            return Verdict::MustWait;
        ++m_losses.unknownFrees;
    }
    // The next block at this address is another one.
    if (thread.lastAllocation == event.pointer)
        thread.lastAllocation = 0;
    return Verdict::Applied;
}

EventPairing::Verdict EventPairing::beginRealloc(const HeapEvent &event, ThreadHistory &thread, Missing missing)
{
    // One that never ended was lost in its middle.
    endThread(thread);
    std::optional<model::LiveBlock> block = m_live.take(event.pointer);
    if (!block && missing == Missing::Wait)
        return Verdict::MustWait;
    thread.isInRealloc = true;
    thread.reallocPointer = event.pointer;
    thread.isTemporaryRealloc = isTemporary(event, thread);
    thread.reallocBlock = block;
    return Verdict::Applied;
}

EventPairing::Verdict EventPairing::endRealloc(
    const HeapEvent &event, std::int64_t timeNs, ThreadHistory &thread, Missing missing)
{
    if (event.pointer != 0 && missing == Missing::Wait && m_live.contains(event.pointer))
        return Verdict::MustWait;
    if (!thread.isInRealloc)
        ++m_losses.badRecords;
    else if (thread.reallocBlock)
        m_ledger.freed(*thread.reallocBlock, m_weights.of(thread.reallocPointer, *thread.reallocBlock), timeNs,
            thread.isTemporaryRealloc);
    else
        ++m_losses.unknownFrees;
    thread.isInRealloc = false;
    thread.reallocBlock.reset();
    thread.lastAllocation = 0;
    return event.pointer != 0 ? allocate(event, timeNs, thread, missing) : Verdict::Applied;
}

void EventPairing::endThread(ThreadHistory &thread)
{
    if (!thread.isInRealloc)
        return;
    thread.isInRealloc = false;
    if (thread.reallocBlock && !m_live.insert(thread.reallocPointer, *thread.reallocBlock))
        ++m_losses.badRecords; // its address is somebody else's: the realloc cannot have failed
    thread.reallocBlock.reset();
}

std::optional<EventPairing::AgeChanges> EventPairing::takeAges(std::int64_t nowNs)
{
    // All of the table in some minutes, a small part a tick: nobody waits for it.
    constexpr std::size_t kLeastPlaces = 4096, kParts = 256;
    m_live.forSome(m_place, std::max(kLeastPlaces, m_live.places() / kParts),
        [this](std::uint64_t pointer, const model::LiveBlock &block) { m_ledger.offerExample(pointer, block); });
    if (!m_ledger.advanceAges(nowNs))
        return std::nullopt;
    const auto isLive = [this](std::uint64_t pointer, std::int64_t birthUs) {
        const std::optional<model::LiveBlock> block = m_live.at(pointer);
        return block && block->birthUs == birthUs;
    };
    AgeChanges changes{m_ledger.takeAges(isLive), m_ledger.ageClock()};
    for (auto &[node, ages] : changes.stacks) // a hostile target can free blocks of times that never were
        for (model::AgeBucket &bucket : ages.buckets)
            model::cutToPossible(bucket);
    changes.clock.periodBytes = std::max<std::int64_t>(static_cast<std::int64_t>(m_weights.periodBytes()), 1);
    return changes;
}

PairingLosses EventPairing::takeLosses() { return std::exchange(m_losses, {}); }

} // namespace capture
