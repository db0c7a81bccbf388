// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/heap/event_pairing.h"

#include <algorithm>
#include <utility>

namespace capture {

static_assert(wire::kLeastSampledBytes == model::kLeastSampledBytes);

EventPairing::EventPairing(std::uint64_t samplePeriodBytes, model::Duration ageBucket)
    : m_ledger(samplePeriodBytes != 0, ageBucket, hugePages())
{
    m_orders.clear();
    addOrder(samplePeriodBytes, samplePeriodBytes == 0, 0);
}

EventPairing::Verdict EventPairing::apply(
    const HeapEvent &event, std::int64_t timeUs, ThreadHistory &thread, Missing missing)
{
    switch (event.type) {
    case wire::RecordType::Malloc:
        return allocate(event, timeUs, thread, missing);
    case wire::RecordType::Free:
        return release(event, timeUs, thread, missing);
    case wire::RecordType::ReallocBegin:
        return beginRealloc(event, timeUs, thread, missing);
    case wire::RecordType::ReallocEnd:
        return endRealloc(event, timeUs, thread, missing);
    case wire::RecordType::ReallocFailed:
        endThread(thread, event.units); // its block lives on
        return Verdict::Applied;
    case wire::RecordType::Order:
        return takeOrder(event, thread);
    default:
        ++m_losses.badRecords;
        return Verdict::Applied;
    }
}

/// What applyPlainly() does for blocks that are large, old or at odd addresses.
bool EventPairing::freeUnusual(std::uint64_t pointer, std::int64_t timeUs, bool isTemporary)
{
    const std::optional<model::LiveBlock> block = m_live.take(pointer);
    if (block)
        m_ledger.freed(*block, timeUs, isTemporary);
    return block.has_value();
}

EventPairing::Verdict EventPairing::allocate(
    const HeapEvent &event, std::int64_t timeUs, ThreadHistory &thread, Missing missing)
{
    const std::uint8_t period = m_orders[thread.order].period;
    thread.hasNewOrder = false;
    if (period == 0 && m_isThinned) [[unlikely]] {
        ++m_losses.overtaken; // nobody would tell of its free
        return Verdict::Applied;
    }
    UnsettledEvent made{.units = event.units, .timeUs = timeUs, .thread = &thread};
    made.block = {event.size, event.node, m_ledger.bornAt(timeUs), period};
    UnsettledAddress *unsettled = unsettledAt(event.pointer);
    if (!unsettled && !m_live.insert(event.pointer, made.block)) {
        if (missing == Missing::Wait)
            return Verdict::MustWait;
        if (missing == Missing::Keep)
            unsettled = &openUnsettled(event.pointer, true);
        else
            missFreeBefore(event.pointer, made);
    } else if (!unsettled) {
        countAllocation(event.pointer, made);
        if (period == 0 && m_hasEarlyFrees && cameEarly(event, thread)) [[unlikely]] {
            m_live.take(event.pointer);
            m_ledger.freed(made.block, weightOf(event.pointer, made.block), timeUs, false);
        }
    }
    if (unsettled) [[unlikely]]
        unsettled->add(made);
    thread.lastAllocation = event.pointer;
    return Verdict::Applied;
}

void EventPairing::countAllocation(std::uint64_t pointer, const UnsettledEvent &made)
{
    m_ledger.allocated(made.block.node, made.block.size, weightOf(pointer, made.block), made.timeUs);
    if (m_scopes.isOpen()) [[unlikely]]
        m_scopes.allocated(made.thread, pointer, made.block.size, made.block.node, made.units);
}

void EventPairing::countFree(std::uint64_t pointer, const model::LiveBlock &block, const UnsettledEvent &free)
{
    m_ledger.freed(block, weightOf(pointer, block), free.timeUs, free.isTemporary);
    leaveFollowed(pointer, free.flags, block);
    if (m_scopes.isOpen()) [[unlikely]]
        m_scopes.freed(pointer, free.units);
}

/// The block that is live at the address of `made` is gone, although nobody has told of it.
void EventPairing::missFreeBefore(std::uint64_t pointer, const UnsettledEvent &made)
{
    ++m_losses.missedFrees;
    const model::LiveBlock old = *m_live.take(pointer);
    leaveFollowed(pointer, 0, old);
    m_ledger.freed(old, weightOf(pointer, old), made.timeUs, false);
    m_live.insert(pointer, made.block);
    countAllocation(pointer, made);
}

/// Null where events are in order. An address with more events than any program brings about is settled as it is.
UnsettledAddress *EventPairing::unsettledAt(std::uint64_t pointer)
{
    UnsettledAddress *address = m_unsettled.find(pointer);
    if (!address || !address->isFull()) [[likely]]
        return address;
    settleBefore(0);
    return nullptr;
}

UnsettledAddress &EventPairing::openUnsettled(std::uint64_t pointer, bool wasLive)
{
    if (m_unsettled.isFull())
        settleBefore(UINT64_MAX);
    return m_unsettled.open(pointer, wasLive);
}

void EventPairing::settleBefore(std::uint64_t units)
{
    while (std::optional<UnsettledAddress> due = m_unsettled.takeBefore(units))
        settle(*due);
}

/// Blocks and frees are paired as they came; what matters is how many there are, and which block is left.
void EventPairing::settle(UnsettledAddress &address)
{
    std::vector<UnsettledEvent> blocks, frees;
    if (address.wasLive)
        blocks.push_back({.isCounted = true, .block = *m_live.take(address.pointer)});
    const std::optional<std::size_t> last = address.lastBlock();
    std::size_t left = 0;
    for (std::size_t i = 0; i < address.events.size(); ++i) {
        left = i == last ? blocks.size() : left;
        (address.events[i].isFree ? frees : blocks).push_back(address.events[i]);
    }
    const bool isLive = address.surplus > 0;
    if (isLive)
        std::rotate(blocks.begin() + static_cast<std::ptrdiff_t>(left),
            blocks.begin() + static_cast<std::ptrdiff_t>(left) + 1, blocks.end());
    for (std::size_t i = 0; i < blocks.size(); ++i) {
        const UnsettledEvent &made = blocks[i];
        if (!made.isCounted)
            countAllocation(address.pointer, made);
        if (isLive && i + 1 == blocks.size()) {
            m_live.insert(address.pointer, made.block);
        } else if (i >= frees.size()) {
            ++m_losses.missedFrees;
            leaveFollowed(address.pointer, 0, made.block);
            m_ledger.freed(made.block, weightOf(address.pointer, made.block), address.events.back().timeUs, false);
        } else if (frees[i].isRealloc) {
            frees[i].thread->reallocBlock = made.block;
        } else {
            countFree(address.pointer, made.block, frees[i]);
        }
    }
    for (std::size_t i = blocks.size(); i < frees.size(); ++i)
        m_losses.unknownFrees += frees[i].isRealloc ? 0 : 1; // a realloc counts what it does not know when it ends
}

EventPairing::Verdict EventPairing::release(
    const HeapEvent &event, std::int64_t timeUs, ThreadHistory &thread, Missing missing)
{
    const UnsettledEvent free = freeOf(event, timeUs, thread);
    UnsettledAddress *unsettled = unsettledAt(event.pointer);
    if (unsettled) [[unlikely]] {
        unsettled->add(free);
    } else if (const std::optional<model::LiveBlock> block = m_live.take(event.pointer)) {
        countFree(event.pointer, *block, free);
    } else {
        if (missing == Missing::Wait)
            return Verdict::MustWait;
        if (missing == Missing::Keep)
            openUnsettled(event.pointer, false).add(free);
        else if (expectsUnknown(event, thread))
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

UnsettledEvent EventPairing::freeOf(const HeapEvent &event, std::int64_t timeUs, ThreadHistory &thread) const
{
    return {.units = event.units,
        .timeUs = timeUs,
        .thread = &thread,
        .isFree = true,
        .isTemporary = isTemporary(event, thread),
        .flags = event.node};
}

EventPairing::Verdict EventPairing::beginRealloc(
    const HeapEvent &event, std::int64_t timeUs, ThreadHistory &thread, Missing missing)
{
    // One that never ended was lost in its middle.
    endThread(thread, event.units);
    UnsettledEvent free = freeOf(event, timeUs, thread);
    free.isRealloc = true;
    UnsettledAddress *unsettled = unsettledAt(event.pointer);
    std::optional<model::LiveBlock> block;
    if (!unsettled)
        block = m_live.take(event.pointer);
    if (!unsettled && !block) {
        if (missing == Missing::Wait)
            return Verdict::MustWait;
        if (missing == Missing::Keep)
            unsettled = &openUnsettled(event.pointer, false);
    }
    thread.hasNewOrder = false;
    thread.isInRealloc = true;
    thread.reallocPointer = event.pointer;
    thread.isTemporaryRealloc = free.isTemporary;
    thread.reallocBlock = block;
    thread.reallocFlags = event.node;
    thread.isReallocUnsampled = !block && !unsettled && expectsUnknown(event, thread);
    if (unsettled) [[unlikely]]
        unsettled->add(free);
    else if (thread.isReallocUnsampled)
        keepEarly(event, thread);
    return Verdict::Applied;
}

EventPairing::Verdict EventPairing::endRealloc(
    const HeapEvent &event, std::int64_t timeUs, ThreadHistory &thread, Missing missing)
{
    if (event.pointer != 0 && missing == Missing::Wait && m_live.contains(event.pointer)
        && !m_unsettled.find(event.pointer))
        return Verdict::MustWait;
    // Begun under an order that had nothing to tell of it.
    const bool isUnbegun = !thread.isInRealloc && thread.hasNewOrder;
    if (isUnbegun)
        thread.lastAllocation = 0;
    else if (!thread.isInRealloc)
        ++m_losses.badRecords;
    else if (thread.reallocBlock) {
        countFree(thread.reallocPointer, *thread.reallocBlock,
            {.units = event.units,
                .timeUs = timeUs,
                .thread = &thread,
                .isFree = true,
                .isTemporary = thread.isTemporaryRealloc,
                .flags = thread.reallocFlags});
    } else if (UnsettledEvent *open = m_unsettled.reallocOf(&thread)) {
        open->isRealloc = false; // whichever block it was is gone from here on
        open->timeUs = timeUs;
    } else if (!thread.isReallocUnsampled)
        ++m_losses.unknownFrees;
    thread.isInRealloc = false;
    thread.hasNewOrder = false;
    thread.reallocBlock.reset();
    thread.lastAllocation = 0;
    return event.pointer != 0 ? allocate(event, timeUs, thread, missing) : Verdict::Applied;
}

void EventPairing::endThread(ThreadHistory &thread, std::uint64_t units)
{
    if (!thread.isInRealloc)
        return;
    thread.isInRealloc = false;
    if (!m_unsettled.isEmpty())
        m_unsettled.removeReallocOf(&thread, units);
    if (!thread.reallocBlock)
        return;
    UnsettledAddress *unsettled = unsettledAt(thread.reallocPointer);
    if (!unsettled && !m_live.insert(thread.reallocPointer, *thread.reallocBlock))
        unsettled
            = &openUnsettled(thread.reallocPointer, true); // it has been freed since, and somebody else has its address
    if (unsettled)
        unsettled->add({.units = units, .thread = &thread, .isCounted = true, .block = *thread.reallocBlock});
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
    settleBefore(UINT64_MAX);
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
    model::LiveTable kept(hugePages());
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
