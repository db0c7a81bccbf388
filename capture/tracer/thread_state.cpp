// SPDX-License-Identifier: MIT
#include "capture/tracer/thread_state.h"

#include "capture/tracer/doorbell.h"
#include "capture/tracer/tracing.h"

#include <cstring>

namespace capture::tracer {

void ModuleCache::flush() { std::memset(static_cast<void *>(m_modules), 0, sizeof m_modules); }

void ThreadState::begin(wire::RingWriter writer, std::uint64_t sp, std::uint32_t guestThread)
{
    owner = &t_words;
    guest = guestThread;
    sampling = guestThread == 0 ? &t_words.sampling : &guestSampling;
    ring = writer;
    toldOrder = wire::orderWord(0);
    beginAnew(sp);
}

void ThreadState::recover(std::uint64_t sp)
{
    ring.forgetUnpublished();
    ring.slot().busy.store(0, std::memory_order_release);
    generation = 0; // of which there is none: the caches are flushed before they are used
    beginAnew(sp);
}

/// What does not depend on what its ring says already.
void ThreadState::beginAnew(std::uint64_t sp)
{
    *sampling = {};
    lastTime = 0;
    stamps = {};
    untilTimed = 1;
    lastBeatUnits = 0;
    gaveUp = false;
    coverage = Coverage::All;
    reallocWasTold = false;
    reallocTakenOut = 0;
    order = wire::kStopped;
    plainOrder = kNoOrder;
    stack.reset(sp);
    last.forget();
}

void ThreadState::follow(std::uint32_t word, const wire::Order &wanted)
{
    // It may be inside a realloc, whose begin was told if all were.
    reallocWasTold = reallocWasTold || !isSampling(coverage);
    if (wanted.samplePeriodBytes == 0)
        coverage = g_tracing.sampledBlocks.capacity() == 0 ? Coverage::All : Coverage::AllAndFollowed;
    else
        coverage = wanted.tellsAllFrees != 0 ? Coverage::SampledAndFrees : Coverage::Sampled;
    if (wanted.samplePeriodBytes != 0)
        sampling->sampler.begin(
            wanted.samplePeriodBytes, __builtin_ia32_rdtsc() ^ reinterpret_cast<std::uint64_t>(this));
    sampling->lastAllocation = 0;
    sampling->flag = ForkFlag::value(); // 0 if tracing has just ended
    const bool mayPass
        = coverage == Coverage::Sampled && g_tracing.isLibcAllocator() && guest == 0 && sampling->flag != 0;
    sampling->afterOrder = mayPass ? word + 1 : 0;
    order = word;
    plainOrder = coverage == Coverage::All && g_tracing.memory.header().clock == wire::Clock::Tsc ? word : kNoOrder;
}

void ThreadState::noticeSilence(const wire::Header &header, std::uint64_t now)
{
    constexpr std::uint64_t kSilenceUnits = 1u
        << 22; // 50 to 270 ms; a recorder that has nothing to do is silent for longer
    const std::uint64_t beat = header.heartbeat.load(std::memory_order_relaxed);
    const bool isSilent = beat == lastBeat && lastBeatUnits != 0;
    if (isSilent && now - lastBeatUnits < kSilenceUnits)
        return;
    lastBeat = beat;
    lastBeatUnits = now;
    if (isSilent && Doorbell(g_tracing.memory).recorderIsGone())
        g_tracing.goDormant();
}

} // namespace capture::tracer
