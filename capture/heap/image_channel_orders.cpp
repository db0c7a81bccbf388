// SPDX-License-Identifier: GPL-3.0-or-later
// How an image's blocks are recorded, and how that is changed while it runs.
//
// From every event to samples: the first order has threads sample what they allocate and still tell every free. Once all have taken it up,
// all that was recorded in full is known and nothing more will come; the live blocks are thinned, those that are kept are entered into the
// set that free looks at, and the second order has threads tell the frees of that set alone. Between samples, and back to every event, one
// order is enough: each block keeps the weight it was recorded with, and samples of before stay in the set until they are freed.
#include "capture/heap/image_channel.h"
#include "model/base/format_units.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace capture {

namespace {

/// How long after an order it is looked at who may not have seen it: what a thread wrote before it looked at the order is seen by then,
/// whatever processor it runs on.
constexpr std::int64_t kShortestWaitNs = 20'000'000;
/// How long threads that are in the middle of an event, and records that were written, are waited for: a recorder that is behind reads them by
/// then, and a hostile target writes for ever. An allocation that comes after that is counted as lost.
constexpr std::int64_t kLongestWaitNs = 10'000'000'000;

} // namespace

std::uint64_t ImageChannel::expectedSamples(std::uint64_t samplePeriodBytes)
{
    // From every event on: what thinning keeps. From samples on: those that there are stay.
    const model::HeapLevel live = m_pairing.ledger().peak().live();
    const auto bytes = static_cast<std::uint64_t>(std::max<std::int64_t>(live.bytes, 0));
    return model::Thinning::expectedAtMost(samplePeriodBytes, m_pairing.live().size(), bytes);
}

std::string ImageChannel::obstacleTo(std::uint64_t samplePeriodBytes)
{
    if (m_step)
        return "the last change is not complete yet; try again in a moment";
    const std::uint64_t now = m_pairing.samplePeriodBytes();
    if (samplePeriodBytes == now || samplePeriodBytes == 0)
        return {};
    if (!m_pairing.knowsPeriod(samplePeriodBytes))
        return fmt::format("{} periods were used, which is as many as a recording can tell apart; use one of them",
            model::kLivePeriods - 1);
    const std::uint64_t expected = now == 0 ? expectedSamples(samplePeriodBytes) : 0;
    if (expected > ImageMemory::kMostExpected)
        return fmt::format(
            "about {} of its blocks would have to be followed, and at most {} can be; use a longer period",
            model::formatCount(static_cast<std::int64_t>(expected)),
            model::formatCount(static_cast<std::int64_t>(ImageMemory::kMostExpected)));
    if (!m_memory->hasRoomForSamples(samplePeriodBytes, expected))
        return "room for sampled blocks was set aside for the longer period that it was first sampled with; use that "
               "one or a longer "
               "one, or full";
    return {};
}

void ImageChannel::recordBy(std::uint64_t samplePeriodBytes, model::HeapModeCause cause, const RecorderClock &clock)
{
    const std::uint64_t now = m_pairing.samplePeriodBytes();
    if (samplePeriodBytes == now || !obstacleTo(samplePeriodBytes).empty())
        return;
    if (samplePeriodBytes != 0
        && !m_memory->provideSampledBlocks(samplePeriodBytes, now == 0 ? expectedSamples(samplePeriodBytes) : 0))
        return; // no memory: all stays as it is
    requireOrderedStamps();
    const bool isThinned = now == 0;
    m_pairing.setFollowed(m_memory->sampledBlocks());
    m_pairing.addOrder(samplePeriodBytes, isThinned || samplePeriodBytes == 0, clock.units());
    m_memory->giveOrder(samplePeriodBytes, isThinned || samplePeriodBytes == 0);
    const model::HeapLevel live = m_pairing.ledger().peak().live();
    const SamplingStep step{clock.toNs(clock.units()), now, samplePeriodBytes, cause, live, live, 0};
    for (Ring *ring : m_active)
        ring->hasPaused = false;
    if (isThinned)
        m_step = step;
    else
        m_steps.push_back(step);
}

/// From the first change on events are taken in the order of their stamps alone. Those of before have to be right by then.
void ImageChannel::requireOrderedStamps()
{
    constexpr unsigned kEventUs = 2000; // longer than any event takes that is not interrupted in its middle
    if (m_memory->view().header().needsOrder.exchange(1, std::memory_order_seq_cst) == 0 && m_active.size() > 1)
        ::usleep(kEventUs);
}

/// Whether all that threads recorded by the order before the last one is in the books.
bool ImageChannel::isEarlierOrderRead(const RecorderClock &clock)
{
    findNewOwners(clock);
    for (Ring *ring : m_active) {
        if (ring->thread.order == m_pairing.lastOrder())
            continue;
        const wire::RingReader &reader = ring->decoder.ring();
        if (!ring->hasPaused) {
            if (reader.slot().busy.load(std::memory_order_acquire) != 0)
                return false;
            ring->hasPaused = true;
            ring->headAtPause = reader.slot().head.load(std::memory_order_acquire);
        }
        if (reader.position() < ring->headAtPause || ring->current.type != wire::RecordType::None)
            return false;
    }
    return true;
}

void ImageChannel::advanceStep(const RecorderClock &clock)
{
    if (!m_step)
        return;
    const std::int64_t now = clock.toNs(clock.units());
    const std::int64_t waited = now - m_step->timeNs;
    if (waited > kLongestWaitNs || (waited > kShortestWaitNs && isEarlierOrderRead(clock)))
        thinAndGoOn(now, clock.units());
}

void ImageChannel::thinAndGoOn(std::int64_t nowNs, std::uint64_t units)
{
    std::vector<ThreadHistory *> threads;
    for (Ring *ring : m_active)
        threads.push_back(&ring->thread);
    SamplingStep step = *std::exchange(m_step, std::nullopt);
    const auto live = [this] { return m_pairing.ledger().peak().live(); };
    step.timeNs = nowNs;
    step.liveBefore = live();
    const auto seed = static_cast<std::uint64_t>(nowNs) ^ (static_cast<std::uint64_t>(m_pid) << 40);
    step.liveVariance = m_pairing.thin(m_memory->sampledBlocks(), seed, threads);
    step.liveAfter = live();
    m_pairing.addOrder(step.periodAfter, false, units);
    m_memory->giveOrder(step.periodAfter, false);
    m_steps.push_back(step);
}

std::vector<SamplingStep> ImageChannel::takeSteps() { return std::exchange(m_steps, {}); }

ImageChannel::Traffic ImageChannel::takeTraffic(const RecorderClock &clock)
{
    const wire::Header &header = m_memory->view().header();
    const std::uint64_t events = header.timedEvents.load(std::memory_order_relaxed);
    const std::uint64_t units = header.timedUnits.load(std::memory_order_relaxed);
    m_traffic.timedEvents = events - std::exchange(m_seenTimedEvents, events);
    m_traffic.timedNs = clock.spanNs(static_cast<double>(units - std::exchange(m_seenTimedUnits, units)));
    return std::exchange(m_traffic, {});
}

} // namespace capture
