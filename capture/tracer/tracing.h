// SPDX-License-Identifier: MIT
#pragma once

#include "capture/tracer/fork_handler.h"
#include "capture/tracer/leaf_table.h"
#include "capture/tracer/module_registry.h"
#include "capture/tracer/reentrancy_guard.h"
#include "capture/tracer/sole_thread.h"
#include "capture/tracer/stack_tree.h"
#include "capture/tracer/thread_state.h"
#include "capture/unwind/rule_cache.h"
#include "capture/wire/rendezvous.h"
#include "capture/wire/sampled_blocks.h"

#include <atomic>

namespace capture::tracer {

/// Where tracing stands in this process.
enum class Phase : std::uint32_t {
    Unstarted = 0,
    Connecting = 1, ///< a thread is at the rendezvous; the others are not recorded until it is done
    Active = 2,     ///< recording (or a child of such a process that has not noticed yet)
    Dormant = 3,    ///< for good, unless a recorder attaches
};

/// The phase, and which process is connecting: a child that was forked meanwhile is not.
struct Standing
{
    Phase phase = Phase::Unstarted;
    std::int32_t connecting = 0; ///< its pid; 0 in other phases
    bool isInherited() const;
    Phase ownPhase() const { return isInherited() ? Phase::Unstarted : phase; }
};
static_assert(std::atomic<Standing>::is_always_lock_free);

/// All that the tracer keeps for the process. One object, zero-initialised, with no constructor to run: the
/// first event comes before any constructor of ours would.
class alignas(64) Tracing
{
public:
    // The first line is all that most events need of it.
    wire::MemoryView memory;
    /// Raised whenever a module goes, and at each meeting with a recorder: what caches of an older generation say of modules and nodes is worthless.
    std::atomic<std::uint64_t> generation = 1;
    /// Nobody: threads record at once, whose events have to be told apart in time by more than the order of a ring.
    SoleThread sole;
    wire::SampledBlocks sampledBlocks; ///< used under orders that sample
    unwind::FindObject findObject = nullptr;
    unwind::RuleCache rules;
    ModuleRegistry modules;
    StackTree tree;
    LeafTable leaves;

    /// Whether events are recorded in this process. One load, except at the first event of a process image or child.
    bool isRecording() { return ForkFlag::isRaised() || start(); }

    /// The calling thread's state, made at its first event; null if it got no ring, which is counted.
    ThreadState *thread()
    {
        ThreadState *state = t_words.state;
        return state != nullptr && !isNumber(state) && state->owner == &t_words ? state : enter();
    }

    /// The calling thread's state, if this process records and the thread has one.
    ThreadState *ownThread() const
    {
        ThreadState *state = t_words.state;
        const bool isOwn = ForkFlag::isRaised() && state != nullptr && !isNumber(state) && state->owner == &t_words;
        return isOwn ? state : nullptr;
    }

    /// The calling thread's state if it samples by the recorder's last order and has nothing else to do; null if it is to be looked at closer.
    ThreadState *samplingThread() const
    {
        ThreadState *state = sampledBlocks.isThere() ? ownThread() : nullptr;
        return state != nullptr && state->coverage == Coverage::Sampled
                && memory.header().order.load(std::memory_order_relaxed) == state->order
            ? state
            : nullptr;
    }

    /// Whether `pc` lies in the module that serves malloc. Its range is kept here: the shared memory may go while a hook asks.
    bool isAllocatorCode(std::uint64_t pc) const { return pc - m_allocatorBegin < m_allocatorBytes; }

    /// The C library's own allocator serves malloc: it calls none of the hooks, which then need not be held while it runs.
    bool isLibcAllocator() const { return m_isLibcAllocator; }

    bool isOwnCode(std::uint64_t pc) const { return pc - m_ownBegin < m_ownBytes; }

    /// The loader frees `pointer`; if a module goes with it, every cache is flushed.
    void loaderFreed(const void *pointer);

    /// The program has forbidden itself system calls: stops recording if that takes something which every event needs.
    void respectRestrictions();

    /// In a child that was forked while its thread was in a hook, and goes on there: what it writes of the shared memory, which it has not, goes
    /// nowhere until it meets the recorder. Does nothing in one that has that memory (vfork).
    void writeNowhere();

    /// Stops recording in this process, until a recorder attaches.
    void goDormant();

    /// Meets the recorder at g_recorderAddress from a process that runs already, after findLoaderFunctions(). Not while leave() is due.
    bool attach();
    /// Then begins to record, in all threads at once: when every call leads here, so that no block's free goes unseen, and offerApi() was
    /// called.
    bool activate();
    /// Finds what is needed of the loader, by a walk along its list of modules: in a process that runs already, with its lock held.
    void findLoaderFunctions();
    /// Stops recording and gives the shared memory back; false as long as a thread is in a hook and may still use it.
    bool leave();
    /// Does so for good, as the program would fail with what tracing takes, and tells why. False if it could not be done within some moments.
    bool giveWay(wire::Retreat why);
    /// A recorder that is alive is being served.
    bool isServing() const;

    /// Held by a thread that uses the shared memory without a state of its own: leave() waits for it.
    class Visit
    {
    public:
        Visit() { g_visitors.fetch_add(1, std::memory_order_seq_cst); }
        ~Visit() { g_visitors.fetch_sub(1, std::memory_order_release); }
        Visit(const Visit &) = delete;
        Visit &operator=(const Visit &) = delete;
    };

private:
    static constinit std::atomic<std::uint32_t> g_visitors;
    /// Of a thread that got no ring: in place of its state the number of events until it asks again, doubled, plus 1.
    static bool isNumber(const ThreadState *state) { return (reinterpret_cast<std::uintptr_t>(state) & 1) != 0; }
    static bool isGoingWithout(const ThreadState *state)
    {
        return isNumber(state) && reinterpret_cast<std::uintptr_t>(state) > 1;
    }
    static constexpr std::uintptr_t kEventsBetweenAsking = 1000, kEventsBetweenHoping = 10;
    static ThreadState *goWithout();

    Standing standing() const { return m_standing.load(std::memory_order_acquire); }
    bool beginConnecting(Standing before);
    void setPhase(Phase phase);
    bool start();
    void settleDormant();
    bool connect(wire::Origin origin);
    bool prepare(wire::Origin origin);
    void retreat(wire::Retreat why);
    bool hasVisitors() const;
    void disownStates();
    ThreadState *enter();
    ThreadState *enterAsGuest();
    ThreadState *beginInFreeSlot(std::uint32_t guest);
    wire::ThreadSlot *takeSlot(std::uint32_t &index);
    ThreadState *stateFor(std::uint32_t index);

    std::atomic<Standing> m_standing = Standing{};
    std::uint64_t m_ownBegin = 0, m_ownBytes = 0;
    std::uint64_t m_allocatorBegin = 0, m_allocatorBytes = 0;
    bool m_isLibcAllocator = false;
    std::atomic<std::uint32_t> m_slotHint = 0;
    std::atomic<bool> m_hasEntered = false;     ///< a thread has got a state
    std::atomic<std::uint32_t> m_guestSlot = 0; ///< the one that a guest used last
    /// The process that `memory` is mapped in: a forked child has it not. Whoever runs in it under another pid is a guest.
    std::int64_t m_memoryPid = 0;
    void *m_nowhere = nullptr; ///< what writeNowhere() has mapped
    std::uint64_t m_image = 0; ///< the recorder's number of what `memory` is of, which a forked child tells; 0: none
    bool m_hasRules = false;
    ThreadState *m_states[wire::kMaxThreads] = {}; ///< by slot; each belongs to the slot's owner
};

extern Tracing g_tracing __attribute__((visibility("hidden")));

} // namespace capture::tracer
