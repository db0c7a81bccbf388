// SPDX-License-Identifier: MIT
#pragma once

#include "capture/tracer/incremental_stack.h"
#include "capture/tracer/module_registry.h"
#include "capture/tracer/reentrancy_guard.h"
#include "capture/tracer/stack_memory.h"
#include "capture/tracer/stamp_turns.h"
#include "capture/tracer/step_cache.h"
#include "capture/wire/shared_ring.h"

namespace capture::tracer {

/// The modules that a thread found last, by where their code lies, roughly.
class ModuleCache
{
public:
    /// The index of the module whose code `address`, as a node has it, belongs to.
    std::uint32_t moduleOf(ModuleRegistry &modules, std::uint64_t address)
    {
        // A return address may be the first byte after its module's last call: look for the call itself.
        const bool isExact = (address & wire::kExactAddress) != 0;
        const std::uint64_t pc = (address & ~wire::kExactAddress) - (isExact ? 0 : 1);
        ModuleRegistry::Found &found = m_modules[(pc >> 20) % kModules];
        if (pc - found.begin >= found.bytes)
            found = modules.moduleAt(pc);
        return found.index;
    }
    void flush();

private:
    static constexpr std::size_t kModules = 8;
    ModuleRegistry::Found m_modules[kModules];
};

/// Which blocks a thread records.
enum class Coverage : std::uint8_t {
    All,             ///< every event
    AllAndFollowed,  ///< the same, after a time of samples: what is freed is taken out of the SampledBlocks
    SampledAndFrees, ///< sampled allocations, and every free: the recorder is about to thin what it knows
    Sampled,         ///< sampled allocations, and frees of blocks among the SampledBlocks
};

constexpr bool isSampling(Coverage coverage) { return coverage >= Coverage::SampledAndFrees; }

/// What a recording thread has of its own, beside its words of TLS: private memory, touched as deep as its stacks are (about
/// 60 KiB), which the next owner of its slot takes over.
struct ThreadState
{
    // The first line is all that most events need of it.
    /// The words of the thread whose own it is; null: nobody's, as tracing has ended since. Their `inside` says whether that
    /// thread may be using the shared memory.
    const ThreadWords *owner = nullptr;
    std::uint64_t lastTime = 0;   ///< clock units of the last record
    StampTurns stamps;            ///< which of its events get a time of their own
    std::uint64_t generation = 0; ///< of the modules, when the caches were last known good
    /// `order` if it records all events by it, with the processor's own clock; else kNoOrder.
    std::uint32_t plainOrder = kNoOrder;
    static constexpr std::uint32_t kNoOrder = 0xfffffffe; ///< no order has this word
    std::uint32_t untilTimed = 1;                         ///< events until the next one that is measured
    wire::RingWriter ring;
    /// The order that it records by, as Header::order had it; kStopped: none yet.
    std::uint32_t order = wire::kStopped;
    std::uint32_t toldOrder = wire::orderWord(0); ///< the last one that its ring tells of
    std::uint32_t guest
        = 0; ///< its thread, if that belongs to another process in the same memory; see Tracing::enterAsGuest()
    bool gaveUp = false; ///< waited for room in vain: until there is some, events are dropped without waiting
    Coverage coverage = Coverage::All;
    bool reallocWasTold = false; ///< its begin, of the realloc that this thread is in
    std::uint32_t reallocTakenOut
        = 0; ///< what it then took out of the SampledBlocks, as SampledBlocks::remove() says it
    SamplingWords *sampling
        = nullptr; ///< those of its thread; a guest's, which has no words of its own, are `guestSampling`
    SamplingWords guestSampling;
    std::uint64_t lastBeat = 0;      ///< the recorder's heartbeat, when it was last seen to change
    std::uint64_t lastBeatUnits = 0; ///< and that moment, in clock units
    KnownStack stack;
    IncrementalStack last;
    StepCache steps;
    ModuleCache modules;
    bool walkIsExact[IncrementalStack::kMostFrames]; ///< of the plain walk, in last.plainWalk()

    /// Makes it the calling thread's own, writing into `writer`'s ring, or that of `guestThread` if this is not 0. It has no order yet.
    void begin(wire::RingWriter writer, std::uint64_t sp, std::uint32_t guestThread);
    /// Makes it good after a jump out of a hook of its thread, which may have been anywhere: it has no order, and knows of no stack. `sp` as for begin().
    void recover(std::uint64_t sp);
    /// Now and then, `now` in clock units: has the process go dormant if the recorder is gone. A ring that fills slowly would tell only late.
    void noticeSilence(const wire::Header &header, std::uint64_t now);
    /// From now on it records as `order` says, whose word is `word`.
    void follow(std::uint32_t word, const wire::Order &wanted);

private:
    void beginAnew(std::uint64_t sp);
};

} // namespace capture::tracer
