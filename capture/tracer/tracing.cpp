// SPDX-License-Identifier: MIT
#include "capture/tracer/tracing.h"

#include "capture/tracer/doorbell.h"
#include "capture/tracer/elf_lookup.h"
#include "capture/tracer/next_functions.h"
#include "capture/tracer/raw_syscall.h"
#include "capture/tracer/rendezvous.h"
#include "capture/tracer/restrictions.h"
#include "capture/tracer/shared_head.h"
#include "capture/tracer/tracer_api.h"

#include <link.h>
#include <linux/kcmp.h>
#include <linux/prctl.h>
#include <sys/mman.h>

#include <cstring>
#include <utility>

namespace capture::tracer {

constinit Tracing g_tracing;
constinit thread_local ThreadWords t_words;
constinit std::atomic<std::uint32_t> Tracing::g_visitors = 0;

namespace {

constexpr unsigned kRuleCacheBits = 15; // 512 KiB, touched as far as it is used

/// The process whose memory this is: in a child that was made by vfork, or in another way that shares the memory, its parent's.
std::int64_t memoryOwner(wire::Origin origin)
{
    const long pid = rawSyscall(SYS_getpid);
    // Only a forked child can come to its first event so late. What began with an exec met the recorder before it had children.
    if (origin != wire::Origin::Fork || !Restrictions::allow(Ask::Compare))
        return pid;
    const long parent = rawSyscall(SYS_getppid);
    return rawSyscall(SYS_kcmp, pid, parent, KCMP_VM, 0, 0) == 0 ? parent : pid;
}

std::uint64_t stackPointer() { return reinterpret_cast<std::uint64_t>(__builtin_frame_address(0)); }

/// Whether a module is the C library.
bool isLibc(const link_map *module)
{
    static constexpr char kName[] = "/libc.so.6";
    const std::size_t bytes = module != nullptr ? std::strlen(module->l_name) : 0;
    return bytes + 1 >= sizeof kName && std::strcmp(module->l_name + bytes + 1 - sizeof kName, kName) == 0;
}

} // namespace

bool Standing::isInherited() const
{
    return phase == Phase::Connecting && connecting != static_cast<std::int32_t>(rawSyscall(SYS_getpid));
}

bool Tracing::beginConnecting(Standing before)
{
    const Standing after{Phase::Connecting, static_cast<std::int32_t>(rawSyscall(SYS_getpid))};
    if (!m_standing.compare_exchange_strong(before, after, std::memory_order_acq_rel))
        return false;
    setWay(Way::Record); // a child that is forked meanwhile has to meet the recorder itself
    return true;
}

void Tracing::setPhase(Phase phase)
{
    m_standing.store({phase, 0}, std::memory_order_release);
    setWay(phase == Phase::Dormant ? Way::PassOn : Way::Record);
}

bool Tracing::start()
{
    // An active process whose flag reads 0 is a forked child of one that recorded.
    const Standing before = standing();
    const Phase phase = before.ownPhase();
    if (phase == Phase::Dormant || phase == Phase::Connecting)
        return false;
    // Or recording has begun since the caller looked at the flag.
    if (phase == Phase::Active && ForkFlag::isRaised())
        return true;
    if (phase == Phase::Active)
        Restrictions::forgetOtherThreads();
    Restrictions::inherit();
    if (!Restrictions::allow(Ask::Meet) || !Restrictions::allow(Ask::Stamp)) {
        settleDormant();
        return false;
    }
    if (!beginConnecting(before))
        return false;
    const bool isConnected = connect(before.phase == Phase::Unstarted ? wire::Origin::Exec : wire::Origin::Fork);
    if (isConnected && ForkFlag::raise()) {
        setPhase(Phase::Active);
        return true;
    }
    if (isConnected)
        retreat(wire::Retreat::NoForkFlag);
    settleDormant();
    return false;
}

/// This image is not recorded. A forked child does not go on holding its parent's memory.
void Tracing::settleDormant()
{
    setPhase(Phase::Dormant);
    if (Restrictions::allow(Ask::Leave))
        SharedHead::clear();
}

bool Tracing::connect(wire::Origin origin)
{
    if (origin != wire::Origin::Attach && findObject == nullptr)
        findLoaderFunctions();
    if (origin == wire::Origin::Attach)
        m_image = 0; // an earlier recorder's
    if (void *const nowhere = std::exchange(m_nowhere, nullptr); nowhere != nullptr)
        rawSyscall(SYS_munmap, asLong(nowhere), static_cast<long>(wire::kMemoryBytes));
    // What a forked child has now is the image that its memory is a copy of; who is forked from it meanwhile has the same.
    const Meeting meeting = meetRecorder(origin, m_image);
    memory = meeting.memory;
    if (memory.base == nullptr)
        return false;
    m_image = meeting.image;
    if (!prepare(origin)) {
        retreat(wire::Retreat::NoMemory);
        return false;
    }
    // In a process that runs already it is offered where the loader's list of modules stands still. A forked child may have that list as it
    // was in the middle of another thread's dlclose, with modules in it that are gone; and it has what was offered to its parent.
    if (origin == wire::Origin::Exec)
        offerApi();
    else if (origin == wire::Origin::Fork)
        renewApi();
    return true;
}

void Tracing::findLoaderFunctions()
{
    // By our own search: even a weak reference would bring in a symbol version that stops programs on an older glibc.
    findObject = reinterpret_cast<unwind::FindObject>(firstDefinition("_dl_find_object"));
}

/// Makes ready what an event needs. False: there is no memory for it.
bool Tracing::prepare(wire::Origin origin)
{
    const std::int64_t pid = memoryOwner(origin);
    if (m_memoryPid != pid)
        g_visitors.store(0, std::memory_order_relaxed); // threads of the parent, which the child has not
    m_memoryPid = pid;
    notePrivateVariables();
    disownStates();
    sampledBlocks = {}; // of the memory before
    t_words.state = nullptr;
    m_slotHint.store(0, std::memory_order_relaxed);
    m_hasEntered.store(false, std::memory_order_relaxed);
    sole.set(nullptr);
    m_isLibcAllocator = isLibc(mallocModule());
    if (!m_hasRules) {
        void *entries = mapPrivate(unwind::RuleCache::bytesFor(kRuleCacheBits));
        if (entries == nullptr)
            return false;
        rules.assign(static_cast<unwind::RuleCache::Entry *>(entries), kRuleCacheBits);
        m_hasRules = true;
    }
    if (origin == wire::Origin::Attach)
        rules.flush(); // modules may have come and gone unseen
    generation.fetch_add(1, std::memory_order_acq_rel);
    if (!leaves.isThere()) {
        void *entries = mapPrivate(LeafTable::kBytes);
        if (entries == nullptr)
            return false;
        leaves.assign(static_cast<LeafTable::Entry *>(entries));
    }
    if (!modules.reset(memory, findObject) || !tree.reset(memory))
        return false;
    unwind::LocalModule own;
    if (unwind::findModule(findObject, reinterpret_cast<std::uint64_t>(&g_tracing), own)) {
        m_ownBegin = own.begin;
        m_ownBytes = own.end - own.begin;
    }
    const std::uint32_t allocator = modules.moduleOf(mallocModule());
    if (allocator < wire::kMaxModules) {
        m_allocatorBegin = memory.module(allocator).begin;
        m_allocatorBytes = memory.module(allocator).end - m_allocatorBegin;
    }
    memory.header().mallocModule.store(allocator, std::memory_order_release);
    return true;
}

/// Tells the recorder, which has taken this process for one that records, why it does not.
void Tracing::retreat(wire::Retreat why) { memory.header().retreat.store(why, std::memory_order_release); }

ThreadState *Tracing::enter()
{
    const Visit visit;
    if (!ForkFlag::isRaised())
        return nullptr; // tracing has ended meanwhile
    const bool mayAsk = !isGoingWithout(t_words.state) && Restrictions::allow(Ask::Identify);
    const bool isGuest = mayAsk && rawSyscall(SYS_getpid) != m_memoryPid;
    ThreadState *state = isGuest ? enterAsGuest() : mayAsk ? beginInFreeSlot(0) : nullptr;
    if (state == nullptr) {
        t_words.state = goWithout();
        memory.header().losses.droppedNoRing.fetch_add(1, std::memory_order_relaxed);
    } else if (!isGuest) {
        t_words.state = state;
    }
    return state;
}

/// For a child that runs in this process's memory. One made by vfork has the words of the thread that waits for it, which goes on with
/// them when the child, and with it the child's ring, is gone: so they are left alone, and each event finds the ring anew.
ThreadState *Tracing::enterAsGuest()
{
    const auto tid = static_cast<std::uint32_t>(rawSyscall(SYS_gettid));
    const std::uint32_t ready = memory.header().readySlots.load(std::memory_order_acquire);
    const std::uint32_t first = m_guestSlot.load(std::memory_order_relaxed);
    for (std::uint32_t i = 0; i < ready; ++i) {
        const std::uint32_t index = (first + i) % ready;
        ThreadState *known = m_states[index];
        if (known != nullptr && known->guest == tid
            && memory.slot(index).state.load(std::memory_order_acquire) == wire::SlotState::Taken)
            return known;
    }
    return beginInFreeSlot(tid);
}

/// Makes a slot the calling thread's, whose id is `guest` if it is one. Null if there is none or no memory for a state.
ThreadState *Tracing::beginInFreeSlot(std::uint32_t guest)
{
    std::uint32_t index = 0;
    wire::ThreadSlot *slot = takeSlot(index);
    ThreadState *state = slot != nullptr ? stateFor(index) : nullptr;
    if (state == nullptr) {
        if (slot != nullptr)
            slot->state.store(wire::SlotState::Free, std::memory_order_release);
        return nullptr;
    }
    slot->tid.store(static_cast<std::uint32_t>(rawSyscall(SYS_gettid)), std::memory_order_relaxed);
    slot->stackTop = 0;
    if (guest == 0) // whose stack may be anywhere
        asm("movq %%fs:0, %0" : "=r"(slot->stackTop));
    slot->name[0] = 0;
    if (Restrictions::allow(Ask::Name))
        rawSyscall(SYS_prctl, PR_GET_NAME, asLong(slot->name));
    // Last: the recorder then knows whose it is, and takes it back when the thread is gone, whether or not it has written anything.
    slot->serial.store(
        memory.header().slotsTaken.fetch_add(1, std::memory_order_relaxed) + 1, std::memory_order_release);
    state->begin(wire::RingWriter(memory, *slot), stackPointer(), guest);
    if (!m_hasEntered.exchange(true, std::memory_order_seq_cst))
        sole.set(state);
    if (guest != 0)
        m_guestSlot.store(index, std::memory_order_relaxed);
    publishPrivateMemory();
    return state;
}

ThreadState *Tracing::goWithout()
{
    const auto left = reinterpret_cast<std::uintptr_t>(t_words.state) / 2;
    const std::uint32_t refused = g_tracing.memory.header().refused.load(std::memory_order_relaxed);
    const bool isHopeless = (refused & static_cast<std::uint32_t>(wire::Want::Slot)) != 0;
    const std::uintptr_t pause = isHopeless ? kEventsBetweenAsking : kEventsBetweenHoping;
    const std::uintptr_t next = isNumber(t_words.state) && left != 0 ? left - 1 : pause;
    return reinterpret_cast<ThreadState *>(2 * next + 1);
}

wire::ThreadSlot *Tracing::takeSlot(std::uint32_t &index)
{
    wire::Header &header = memory.header();
    const auto tryAll = [&] {
        const std::uint32_t ready = header.readySlots.load(std::memory_order_acquire);
        const std::uint32_t first = m_slotHint.load(std::memory_order_relaxed);
        for (std::uint32_t i = 0; i < ready; ++i) {
            index = (first + i) % ready;
            wire::SlotState free = wire::SlotState::Free;
            if (memory.slot(index).state.compare_exchange_strong(
                    free, wire::SlotState::Taken, std::memory_order_acq_rel)) {
                m_slotHint.store(index + 1, std::memory_order_relaxed);
                return true;
            }
        }
        return false;
    };
    if (tryAll())
        return &memory.slot(index);
    // A thread that went without once never waits again.
    if (isNumber(t_words.state))
        return nullptr;
    Doorbell doorbell(memory);
    if (doorbell.waitUntil(wire::Want::Slot, tryAll))
        return &memory.slot(index);
    if (doorbell.recorderIsGone())
        goDormant();
    return nullptr;
}

ThreadState *Tracing::stateFor(std::uint32_t index)
{
    // Memory of a former owner is taken over with its caches, which stay true until the generation changes.
    ThreadState *&state = m_states[index];
    if (state == nullptr)
        state = static_cast<ThreadState *>(mapPrivate(sizeof(ThreadState)));
    return state;
}

void Tracing::loaderFreed(const void *pointer)
{
    // The loader has unmapped the module but still holds its lock: nothing else can have come to the same place yet.
    if (!modules.loaderFreed(pointer))
        return;
    rules.flush();
    generation.fetch_add(1, std::memory_order_acq_rel);
}

void Tracing::respectRestrictions()
{
    if (!ForkFlag::isRaised() || memory.base == nullptr)
        return;
    wire::Header &header = memory.header();
    const bool isSilenced = !Restrictions::allow(Ask::Meet) && !Restrictions::allow(Ask::Stamp);
    const bool hasClock
        = Restrictions::allow(Ask::Stamp) && (header.clock == wire::Clock::Tsc || Restrictions::allow(Ask::Clock));
    if (hasClock)
        return;
    retreat(isSilenced ? wire::Retreat::NoSystemCalls : wire::Retreat::NoClock);
    goDormant();
}

void Tracing::writeNowhere()
{
    // Not over what is there: the memory itself, or what a handler of the program has mapped in its place since.
    if (memory.base == nullptr || !Restrictions::allow(Ask::Meet))
        return;
    const long place = rawSyscall(SYS_mmap, asLong(memory.base), static_cast<long>(wire::kMemoryBytes),
        PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
    if (place == asLong(memory.base))
        m_nowhere = memory.base;
    else if (!failed(place)) // a kernel before 4.17 takes the place for a hint
        rawSyscall(SYS_munmap, place, static_cast<long>(wire::kMemoryBytes));
}

void Tracing::goDormant()
{
    // In this order. Before the flag: else this process would be taken for the forked child of one that records. After it: while one thread
    // still records, a free in another must not pass by, or the next block at that address is taken for one that was never freed.
    m_standing.store({Phase::Dormant, 0}, std::memory_order_release);
    ForkFlag::lower();
    setWay(Way::PassOn);
}

} // namespace capture::tracer
