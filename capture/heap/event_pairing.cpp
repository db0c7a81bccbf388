// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/heap/event_pairing.h"

#include <algorithm>
#include <utility>

namespace capture {

static_assert(wire::kLeastSampledBytes == model::kLeastSampledBytes);

EventPairing::EventPairing(std::uint64_t samplePeriodBytes, model::Duration ageBucket)
    : m_ledger(samplePeriodBytes != 0, ageBucket)
{
    m_orders.clear();
    addOrder(samplePeriodBytes, samplePeriodBytes == 0, 0);
}

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
        endThread(thread); // its block lives on
        return Verdict::Applied;
    case wire::RecordType::Order:
        return takeOrder(event, thread);
    default:
        ++m_losses.badRecords;
        return Verdict::Applied;
    }
}

/// What applyPlainly() does for blocks that are large, old or at odd addresses.
bool EventPairing::freeUnusual(std::uint64_t pointer, std::int64_t timeNs, bool isTemporary)
{
    const std::optional<model::LiveBlock> block = m_live.take(pointer);
    if (block)
        m_ledger.freed(*block, timeNs, isTemporary);
    return block.has_value();
}

EventPairing::Verdict EventPairing::allocate(
    const HeapEvent &event, std::int64_t timeNs, ThreadHistory &thread, Missing missing)
{
    const std::uint8_t period = m_orders[thread.order].period;
    thread.hasNewOrder = false;
    if (period == 0 && m_isThinned) [[unlikely]] {
        ++m_losses.overtaken; // nobody would tell of its free
        return Verdict::Applied;
    }
    const model::LiveBlock block{event.size, event.node, m_ledger.bornAt(timeNs), period};
    if (!m_live.insert(event.pointer, block)) {
        if (missing == Missing::Wait)
            return Verdict::MustWait;
        ++m_losses.missedFrees;
        const model::LiveBlock old = *m_live.take(event.pointer);
        leaveFollowed(event.pointer, 0, old);
        m_ledger.freed(old, weightOf(event.pointer, old), timeNs, false);
        m_live.insert(event.pointer, block);
    }
    m_ledger.allocated(event.node, event.size, weightOf(event.pointer, block), timeNs);
    if (m_scopes.isOpen()) [[unlikely]]
        m_scopes.allocated(&thread, event.pointer, event.size, event.node, event.units);
    if (period == 0 && m_hasEarlyFrees && cameEarly(event, thread)) [[unlikely]] {
        m_live.take(event.pointer);
        m_ledger.freed(block, weightOf(event.pointer, block), timeNs, false);
    }
    thread.lastAllocation = event.pointer;
    return Verdict::Applied;
}

EventPairing::Verdict EventPairing::release(
    const HeapEvent &event, std::int64_t timeNs, ThreadHistory &thread, Missing missing)
{
    const std::optional<model::LiveBlock> block = m_live.take(event.pointer);
    if (block) {
        m_ledger.freed(*block, weightOf(event.pointer, *block), timeNs, isTemporary(event, thread));
        leaveFollowed(event.pointer, event.node, *block);
        if (m_scopes.isOpen()) [[unlikely]]
            m_scopes.freed(event.pointer, event.units);
    } else {
        if (missing == Missing::Wait)
            return Verdict::MustWait;
        if (expectsUnknown(event, thread))
            keepEarly(event, thread);
        else
            ++m_losses.unknownFrees;
    }
    thread.hasNewOrder = false;
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
    thread.hasNewOrder = false;
    thread.isInRealloc = true;
    thread.reallocPointer = event.pointer;
    thread.isTemporaryRealloc = isTemporary(event, thread);
    thread.reallocBlock = block;
    thread.reallocFlags = event.node;
    thread.isReallocUnsampled = !block && expectsUnknown(event, thread);
    if (thread.isReallocUnsampled)
        keepEarly(event, thread);
    return Verdict::Applied;
}

EventPairing::Verdict EventPairing::endRealloc(
    const HeapEvent &event, std::int64_t timeNs, ThreadHistory &thread, Missing missing)
{
    if (event.pointer != 0 && missing == Missing::Wait && m_live.contains(event.pointer))
        return Verdict::MustWait;
    // Begun under an order that had nothing to tell of it.
    const bool isUnbegun = !thread.isInRealloc && thread.hasNewOrder;
    if (isUnbegun)
        thread.lastAllocation = 0;
    else if (!thread.isInRealloc)
        ++m_losses.badRecords;
    else if (thread.reallocBlock) {
        m_ledger.freed(*thread.reallocBlock, weightOf(thread.reallocPointer, *thread.reallocBlock), timeNs,
            thread.isTemporaryRealloc);
        leaveFollowed(thread.reallocPointer, thread.reallocFlags, *thread.reallocBlock);
        if (m_scopes.isOpen()) [[unlikely]]
            m_scopes.freed(thread.reallocPointer, event.units);
    } else if (!thread.isReallocUnsampled)
        ++m_losses.unknownFrees;
    thread.isInRealloc = false;
    thread.hasNewOrder = false;
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

EventPairing::Verdict EventPairing::takeOrder(const HeapEvent &event, ThreadHistory &thread)
{
    if (event.size >= m_orders.size() || event.size < thread.order) {
        ++m_losses.badRecords;
        return Verdict::Applied;
    }
    thread.order = static_cast<std::uint32_t>(event.size);
    thread.hasNewOrder = true;
    thread.lastAllocation = 0; // who knows it from here on depends on the order
    return Verdict::Applied;
}

bool EventPairing::cameEarly(const HeapEvent &allocation, const ThreadHistory &thread)
{
    // What a thread does itself is in order; and that others take a block up and give it back to the allocator, which gives it out again, takes
    // longer than clocks differ.
    constexpr std::uint64_t kSkewUnits = 2; // 40 to 130 ns
    EarlyFree &early = m_earlyFrees[(allocation.pointer >> 4) % m_earlyFrees.size()];
    if (early.event.pointer != allocation.pointer || early.thread == &thread
        || allocation.units + kSkewUnits - early.event.units > 2 * kSkewUnits)
        return false;
    early = {};
    return true;
}

void EventPairing::keepEarly(const HeapEvent &free, const ThreadHistory &thread)
{
    m_hasEarlyFrees = true;
    m_earlyFrees[(free.pointer >> 4) % m_earlyFrees.size()] = {free, &thread};
}

bool EventPairing::knowsPeriod(std::uint64_t samplePeriodBytes) const
{
    return m_weights.size() < model::kLivePeriods
        || std::any_of(m_weights.begin(), m_weights.end(),
            [=](const model::SampleWeights &weights) { return weights.periodBytes() == samplePeriodBytes; });
}

std::uint8_t EventPairing::periodOf(std::uint64_t samplePeriodBytes)
{
    std::size_t period = 0;
    while (period < m_weights.size() && m_weights[period].periodBytes() != samplePeriodBytes)
        ++period;
    if (period == m_weights.size())
        m_weights.emplace_back(samplePeriodBytes);
    return static_cast<std::uint8_t>(period);
}

void EventPairing::addOrder(std::uint64_t samplePeriodBytes, bool tellsAllFrees, std::uint64_t units)
{
    const bool isChange = !m_orders.empty();
    const bool isAfterSampling = !m_orders.empty() && hasSampled();
    m_orders.push_back({periodOf(samplePeriodBytes), tellsAllFrees, isAfterSampling, units});
    if (samplePeriodBytes == 0)
        m_isThinned = false;
    else
        m_ledger.beginSampling();
    if (isChange)
        m_ledger.restartAges();
}

double EventPairing::thin(
    const wire::SampledBlocks &followed, std::uint64_t seed, const std::vector<ThreadHistory *> &threads)
{
    m_followed = followed;
    const std::uint8_t period = m_orders.back().period;
    const std::uint64_t periodBytes = weightsOf(period).periodBytes();
    model::Thinning thinning(periodBytes, seed);
    double variance = 0;
    const auto decide = [&](std::uint64_t pointer, model::LiveBlock &block) {
        if (block.period != 0)
            return true; // a sample of an earlier time, whose weight stays as it is
        const model::SampleWeight before = weightOf(pointer, block);
        bool isKept = thinning.keeps(block.size);
        if (isKept && !followed.addKept(pointer)) {
            ++m_losses.notKept;
            isKept = false;
        }
        block.period = period;
        const model::SampleWeight after = isKept ? weightOf(pointer, block) : model::SampleWeight{0, 0, 0, 0, 0};
        m_ledger.reweigh(block.node,
            {after.blocks - before.blocks, after.bytes - before.bytes, after.blockVariance, after.byteVariance,
                static_cast<std::int64_t>(periodBytes)});
        variance += after.byteVariance;
        return isKept;
    };
    model::LiveTable kept;
    m_live.forEach([&](std::uint64_t pointer, model::LiveBlock block) {
        if (decide(pointer, block))
            kept.insert(pointer, block);
    });
    m_live = std::move(kept);
    for (ThreadHistory *thread : threads)
        if (thread->isInRealloc && thread->reallocBlock && !decide(thread->reallocPointer, *thread->reallocBlock)) {
            thread->reallocBlock.reset();
            thread->isReallocUnsampled = true;
        }
    m_ledger.endReweighing();
    m_isThinned = true;
    return variance;
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
    changes.clock.periodBytes = std::max<std::int64_t>(static_cast<std::int64_t>(samplePeriodBytes()), 1);
    return changes;
}

PairingLosses EventPairing::takeLosses() { return std::exchange(m_losses, {}); }

} // namespace capture
