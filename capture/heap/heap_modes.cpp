// SPDX-License-Identifier: GPL-3.0-or-later
// How HeapInstrument's images are recorded: as asked for, or as closely as the budget allows.
#include "capture/heap/doorbell_wait.h"
#include "capture/heap/heap_instrument.h"

#include <fmt/format.h>
#include <pthread.h>
#include <time.h>

#include <algorithm>
#include <utility>

namespace capture {

namespace {

std::int64_t cpuTimeNs(std::jthread &thread)
{
    clockid_t clock{};
    timespec used{};
    if (::pthread_getcpuclockid(thread.native_handle(), &clock) != 0 || ::clock_gettime(clock, &used) != 0)
        return 0;
    return std::int64_t{used.tv_sec} * 1'000'000'000 + used.tv_nsec;
}

/// As model::HeapDelta has it.
std::int64_t periodOf(std::uint64_t samplePeriodBytes)
{
    return std::max<std::int64_t>(static_cast<std::int64_t>(samplePeriodBytes), 1);
}

} // namespace

std::optional<model::Result<void>> HeapInstrument::setHeapMode(const model::HeapWish &wish)
{
    using model::HeapMode;
    if (wish.mode == HeapMode::Off)
        return model::Result<void>(
            model::Error("The heap cannot be left out from now on: what is live would no longer be known. "
                         "A pause records nothing, and sampled costs next to nothing"));
    const std::uint64_t period = wish.mode == HeapMode::Sampled ? static_cast<std::uint64_t>(wish.periodBytes) : 0;
    const std::lock_guard lock(m_mutex);
    takeMessages();
    std::vector<Image *> running;
    for (const auto &image : m_images)
        if (!image->hasEnded)
            running.push_back(image.get());
    if (running.empty() && !m_attachFailure.empty())
        return model::Result<void>(model::Error("The heap is not recorded: " + m_attachFailure));
    for (Image *image : running)
        if (const std::string obstacle = image->channel.obstacleTo(period); !obstacle.empty())
            return model::Result<void>(model::Error(
                fmt::format("The heap of process {} cannot be recorded so now: {}", image->channel.pid(), obstacle)));
    m_clock.sync();
    m_server->setSamplePeriod(period);
    m_budget = wish.mode == HeapMode::Auto ? std::optional(wish.budgetMilliPercent) : std::nullopt;
    for (Image *image : running) {
        image->budget = m_budget ? std::optional(HeapBudget(*m_budget)) : std::nullopt;
        image->channel.recordBy(period, model::HeapModeCause::User, m_clock);
    }
    wakeSleeper(m_control);
    return model::Result<void>();
}

/// Steps down the images that cost more than they may since the last call; `nowNs` as RecorderClock has it. Under the lock.
void HeapInstrument::judge(std::int64_t nowNs)
{
    const std::int64_t cpuNs = cpuTimeNs(m_drainThread);
    const std::int64_t spanNs = nowNs - m_judgedNs;
    const std::int64_t usedNs = cpuNs - m_judgedCpuNs;
    m_judgedNs = nowNs;
    m_judgedCpuNs = cpuNs;
    std::vector<std::pair<Image *, HeapLoad>> loads;
    std::uint64_t events = 0;
    for (const auto &image : m_images) {
        const ImageChannel::Traffic traffic = image->channel.takeTraffic(m_clock);
        const TargetLosses losses = image->channel.losses();
        const std::uint64_t lost = losses.droppedRing + losses.droppedNoRing;
        const std::uint64_t seen = std::exchange(image->seenLost, lost);
        events += traffic.events;
        loads.push_back({image.get(),
            {spanNs, traffic.events, 0, image->channel.samplePeriodBytes(), traffic.waits,
                lost > seen ? lost - seen : 0, traffic.timedEvents, traffic.timedNs}});
    }
    for (auto &[image, load] : loads) {
        if (!image->budget || image->hasEnded || image->channel.isInStep())
            continue;
        // Reading costs by the event, so each image has its share of it.
        load.recorderNs = static_cast<std::int64_t>(static_cast<double>(usedNs) * static_cast<double>(load.events)
            / static_cast<double>(std::max<std::uint64_t>(events, 1)));
        const HeapBudget::Verdict verdict = image->budget->judge(load);
        auto period = verdict != HeapBudget::Verdict::Keep ? nextAutoPeriod(load.periodBytes) : std::nullopt;
        while (period && !image->channel.obstacleTo(*period).empty())
            period = nextAutoPeriod(*period);
        if (period)
            image->channel.recordBy(*period,
                verdict == HeapBudget::Verdict::TooExpensive ? model::HeapModeCause::Budget
                                                             : model::HeapModeCause::Waits,
                m_clock);
    }
}

void HeapInstrument::addModes(Image &image, const std::vector<SamplingStep> &steps, model::EventBatch &batch)
{
    if (!std::exchange(image.isModeStored, true)) {
        const std::uint64_t first = steps.empty() ? image.firstPeriod : steps.front().periodBefore;
        batch.heapModes.push_back({image.id, {image.arrival.monotonicNs - m_originNs}, periodOf(first)});
    }
    for (const SamplingStep &step : steps)
        batch.heapModes.push_back(
            {image.id, {step.timeNs}, periodOf(step.periodAfter), step.cause, step.liveBefore.bytes,
                step.liveBefore.blocks, step.liveAfter.bytes, step.liveAfter.blocks, step.liveVariance});
}

} // namespace capture
