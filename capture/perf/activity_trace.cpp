// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/perf/activity_trace.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

namespace capture {

ActivityTrace::ActivityTrace(TraceEvents events, model::TableBuilder &tables, WaitReasons::FunctionAt kernelFunctionAt)
    : m_events(std::move(events))
    , m_tracker(tables, std::move(kernelFunctionAt))
{
}

void ActivityTrace::take(std::span<const std::uint8_t> bytes, bool isOfStacks, const Next &next)
{
    // Kernels before 6.5 give two events of the same tracepoint the id of the first: the ring knows better.
    TraceRecordKind kind = m_events.kindOf(traceRecordId(bytes));
    if (isOfStacks && kind == TraceRecordKind::Enter)
        kind = TraceRecordKind::EnterStack;
    else if (!isOfStacks && kind == TraceRecordKind::EnterStack)
        kind = TraceRecordKind::Enter;
    PerfRecord record;
    switch (decodeTraceRecord(bytes, kind, record)) {
    case DecodeResult::Ignored:
        return;
    case DecodeResult::Bad:
        badBytes += static_cast<std::int64_t>(bytes.size());
        return;
    case DecodeResult::Decoded:
        break;
    }
    const bool isStack = kind == TraceRecordKind::EnterStack || kind == TraceRecordKind::SwitchStack;
    if (const auto *lost = std::get_if<PerfLost>(&record.content)) {
        m_lostInRecords += isStack ? 0 : lost->count; // of stacks as many are taken as there is room for
        return;
    }
    if (kind == TraceRecordKind::Enter)
        ++(record.timeNs <= m_countedUntilNs ? m_callsTaken : m_callsTakenAfter);
    if (kind == TraceRecordKind::Enter || kind == TraceRecordKind::Exit)
        m_gate.countCall();
    else if (kind == TraceRecordKind::EnterStack)
        m_gate.countStackBytes(bytes.size());
    else if (isStack)
        m_switchGate.countStackBytes(bytes.size());
    next(std::move(record));
}

void ActivityTrace::setCallsEnabled(bool areEnabled)
{
    const auto before = std::chrono::steady_clock::now();
    m_events.setCallsEnabled(areEnabled);
    m_gate.switchingTook(static_cast<std::uint64_t>((std::chrono::steady_clock::now() - before).count()));
}

void ActivityTrace::applyGate(std::uint64_t nowNs, Rings rings, const Next &next)
{
    const bool areCallsWanted = m_gate.areCallsWanted(nowNs), areStacksWanted = m_gate.areStacksWanted();
    if (std::exchange(m_gate.areStacksOpen, areStacksWanted) != areStacksWanted)
        m_events.setCallStacksEnabled(areStacksWanted);
    // What was not recorded is known to be so many once all records are read, and before there are new ones.
    const bool isEarly = areCallsWanted && rings == Rings::HaveMore;
    if (isEarly || std::exchange(m_gate.areCallsOpen, areCallsWanted) == areCallsWanted)
        return;
    m_isWholeTick = false;
    PerfRecord record;
    record.timeNs = nowNs;
    if (areCallsWanted) {
        const std::int64_t missing = m_events.callCount().calls - m_callsTaken - m_missingReported;
        const std::int64_t uncounted = std::max<std::int64_t>(missing, 0);
        m_missingReported += uncounted;
        m_uncountedInTick += m_isPaused ? 0 : uncounted;
        record.content = CallsResumed{m_isPaused ? 0 : uncounted};
    } else {
        record.content = CallsInterrupted{};
    }
    setCallsEnabled(areCallsWanted);
    next(std::move(record));
}

bool ActivityTrace::readRings(std::vector<PerfRing> &rings, std::size_t mostBytes, const Next &next)
{
    bool hasMore = false;
    const bool isOfStacks = &rings != &m_events.rings();
    for (PerfRing &ring : rings) {
        if (!ring.isMapped())
            continue;
        const PerfRing::Outcome outcome
            = ring.read(mostBytes, [&](std::span<const std::uint8_t> bytes) { take(bytes, isOfStacks, next); });
        hasMore |= outcome.hasMore;
        badBytes += static_cast<std::int64_t>(outcome.badBytes);
    }
    return hasMore;
}

bool ActivityTrace::read(std::size_t mostBytesPerRing, std::uint64_t nowNs, const Next &next)
{
    if (const std::size_t bytes = m_gate.stackBytesNow(nowNs, m_events.stackRingBytes()); bytes > 0)
        readRings(m_events.callStackRings(), bytes, next);
    if (const std::size_t bytes = m_switchGate.stackBytesNow(nowNs, m_events.stackRingBytes()); bytes > 0)
        readRings(m_events.switchStackRings(), bytes, next);
    const bool hasMore = readRings(m_events.rings(), mostBytesPerRing, next);
    applyGate(nowNs, hasMore ? Rings::HaveMore : Rings::Drained, next);
    return hasMore;
}

void ActivityTrace::readAll(std::uint64_t nowNs, const Next &next)
{
    constexpr std::size_t kAll = std::size_t{1} << 30;
    // Reading takes a while, in which calls go on, and may be lost: what comes after the count is not compared with it, but with the next.
    const TraceEvents::CallCount counted = m_events.callCount();
    const std::optional<std::uint64_t> lost = m_events.lostCount();
    m_countedUntilNs = counted.timeNs;
    m_isNextTickWhole = m_gate.areCallsOpen;
    for (std::vector<PerfRing> *rings : {&m_events.callStackRings(), &m_events.switchStackRings(), &m_events.rings()})
        readRings(*rings, kAll, next);
    m_callsMissing = counted.calls - m_callsTaken;
    m_callsTaken += std::exchange(m_callsTakenAfter, 0);
    m_countedUntilNs = kForEver;
    m_lost = lost.value_or(m_lostInRecords);
    applyGate(nowNs, Rings::Drained, next);
}

void ActivityTrace::collect(std::uint64_t nowNs, model::EventBatch &batch)
{
    const bool hasLost = m_lost > m_lostReported;
    if (hasLost)
        batch.losses.push_back(
            {model::LossKind::ActivityLost, model::ImageId(), static_cast<std::int64_t>(m_lost - m_lostReported),
                fmt::format("rings of {} KiB per CPU", m_events.ringBytes() >> 10)});
    m_lostReported = m_lost;

    // Only where some were left out on purpose, or lost, do the counts have to agree; and in the tick after, as the counters of all threads are not
    // read at one moment: of calls that were made meanwhile the records are there already. Such a deficit is made up for before any more count.
    const bool isWhole = m_isWholeTick && m_gate.areCallsOpen && !hasLost;
    const std::int64_t missing = std::max<std::int64_t>(m_callsMissing - m_missingReported, 0);
    m_missingReported += missing;
    const std::int64_t uncounted = isWhole && m_wasWhole ? 0 : missing;
    const std::int64_t estimated = uncounted + std::exchange(m_uncountedInTick, 0);
    m_wasWhole = isWhole;
    m_isWholeTick = m_isNextTickWhole && m_gate.areCallsOpen;
    if (estimated > 0)
        batch.losses.push_back({model::LossKind::CallsEstimated, model::ImageId(), estimated,
            fmt::format("more than {} a second: they are shared out among those that were recorded just before",
                TraceGate::kMostCallsPerSecond)});
    const std::int64_t unknown = m_tracker.collect(nowNs, uncounted, batch);
    if (unknown > 0)
        batch.losses.push_back({model::LossKind::ActivityLost, model::ImageId(), unknown,
            "system calls in a tick in which none was recorded"});
}

void ActivityTrace::setPaused(bool isPaused)
{
    m_tracker.setPaused(isPaused);
    m_isPaused = isPaused;
    m_isWholeTick = m_isWholeTick && !isPaused;
    if (!isPaused)
        m_missingReported = m_events.callCount().calls - m_callsTaken;
}

} // namespace capture
