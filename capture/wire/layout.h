// SPDX-License-Identifier: MIT
#pragma once

#include "capture/wire/record.h"
#include "capture/wire/scope.h"

#include <atomic>
#include <cstddef>
#include <cstdint>

/// The memory that a target and the recorder share: one memfd per program image, made and sized by the recorder.
/// FORMAT.md is the contract; this file is its letter. "Target" and "recorder" name who writes a field.
namespace capture::wire {

inline constexpr std::uint64_t kMagic = 0x31726361'72746e67; ///< "gntracr1" in memory
inline constexpr std::uint32_t kVersion = 5;

/// The memfd's name, and how /proc/PID/maps begins what it is called there. A target has it mapped to be written; its forked children have a part of
/// it, to read.
inline constexpr char kMemoryName[] = "genesis-heap";
inline constexpr char kMemoryPath[] = "/memfd:genesis-heap";

inline constexpr std::uint32_t kMaxThreads = 2048;
inline constexpr std::uint32_t kMaxModules = 2048;
inline constexpr std::uint32_t kModulePathBytes = 1u << 18;
inline constexpr std::uint32_t kMaxNodes = 1u << 22;                 ///< 4 M stacks
inline constexpr std::uint64_t kRingBytes = std::uint64_t{64} << 20; ///< budget of all rings together
inline constexpr std::uint32_t kFirstRingRecords = 2048;             ///< 32 KiB
inline constexpr std::uint32_t kLargestRingRecords = 32768;          ///< 512 KiB: still in a second-level cache

/// Nodes below it are the roots: how the stack above them ended. Same numbers as model::StackEnd and unwind::EndState.
inline constexpr std::uint32_t kRootNodes = 6;

inline constexpr std::uint32_t kNoModule = 0xffffffff;

/// What the target should do: the recorder's last word. 0: stop. Else 2 · n + 1, where n counts what was ordered before in this memory;
/// how order n wants blocks recorded stands in Header::orders[n % kOrders].
inline constexpr std::uint32_t kStopped = 0;
constexpr std::uint32_t orderWord(std::uint32_t number) { return number << 1 | 1; }
constexpr std::uint32_t orderNumber(std::uint32_t word) { return word >> 1; }
inline constexpr std::uint32_t kOrders = 32; ///< a thread that is this many orders behind is refused more

/// How blocks are recorded under an order. Recorder, before the order is given.
struct Order
{
    std::uint64_t samplePeriodBytes; ///< bytes of which one is sampled on average; 0: every event is recorded
    std::uint32_t tellsAllFrees;     ///< 1: also frees of blocks that were not sampled are told
    std::uint32_t reserved;
};

/// How the target takes its time stamps. Recorder.
enum class Clock : std::uint32_t { Tsc = 0, Monotonic = 1 };

/// Why the target records no more of its own accord. Target, once.
enum class Retreat : std::uint32_t {
    None = 0,
    NoSystemCalls = 1, ///< the program has forbidden itself all system calls (seccomp, strict mode)
    NoClock = 2,       ///< it has forbidden itself to read the clock
    NoMemory = 3,      ///< the tracer got no memory of its own: from the begin
    NoForkFlag = 4,    ///< no page can be had that the kernel wipes on fork: from the begin
    MemoryLocked = 5,  ///< it locks all its memory (mlockall), and may not lock as much as it is with ours
};

/// Counts of what the target could not record. Target; each only grows.
struct LossCounters
{
    std::atomic<std::uint64_t> droppedRing;   ///< events that found their ring full for too long
    std::atomic<std::uint64_t> droppedNoRing; ///< events of threads that got no ring
    std::atomic<std::uint64_t>
        reentered; ///< calls from inside a hook: a signal handler's, or the allocator's own; and hooks that were left by a jump
    std::atomic<std::uint64_t> nodesRefused;   ///< stacks cut because the node array was full
    std::atomic<std::uint64_t> modulesRefused; ///< modules that found no room in the table
    std::atomic<std::uint64_t> poolsRefused;   ///< events of pools beyond the 65,535th of a connection
    std::atomic<std::uint64_t>
        samplesRefused; ///< sampled blocks that found no room among those whose free is waited for
};

/// A range of the target's address space.
struct AddressRange
{
    std::uint64_t begin;
    std::uint64_t bytes;
};
inline constexpr std::uint32_t kMostPrivateRanges
    = kMaxThreads + 256; ///< a state for each thread, and what the process has

/// The first page.
struct Header
{
    std::uint64_t magic;              ///< recorder
    std::uint32_t version;            ///< recorder
    std::uint32_t recorderPid;        ///< recorder; 0 where the target cannot name it (another pid namespace)
    std::atomic<std::uint32_t> order; ///< recorder: see orderWord()
    Clock clock;                      ///< recorder
    std::uint32_t waitLimitMs;        ///< recorder: how long a full ring may hold the target up; 0: not at all
    /// recorder: 1: stamps of blocks have to be in order across threads. 0: they may be some 0.5 µs earlier than what came before them in
    /// another thread, as the processor takes them ahead
    std::atomic<std::uint32_t> needsOrder;
    std::atomic<Retreat> retreat; ///< target
    /// recorder, before the first order that samples: cache lines of SampledBlocks that have memory, a power of two; 0: none yet
    std::atomic<std::uint64_t> sampledBuckets;

    alignas(
        64) std::atomic<std::uint64_t> heartbeat; ///< recorder: changes as it begins to drain, and twice a second while
                                                  ///< it is alive; odd: and it rests now, for longer than some 2 ms
    std::atomic<std::uint32_t> committedNodes;    ///< recorder: nodes below it have memory
    std::atomic<std::uint32_t> readySlots;        ///< recorder: slots below it exist
    std::atomic<std::uint32_t> refused; ///< recorder: bit set of Want that cannot be met now: waiting is of no use

    alignas(64) std::atomic<std::uint32_t> doorbell; ///< target: futex word, raised to wake the recorder
    std::atomic<std::uint32_t> recorderSleeps;       ///< recorder: 1 while it waits at the doorbell
    std::atomic<std::uint32_t> wanted;               ///< target: bit set of Want

    alignas(64) std::atomic<std::uint32_t> usedNodes; ///< target: the next free node
    std::atomic<std::uint32_t> usedModules;           ///< target: the next free module record
    std::atomic<std::uint32_t> usedPathBytes;         ///< target: the next free byte of the path area
    std::atomic<std::uint32_t> slotsTaken;   ///< target: how often a slot was taken; the source of ThreadSlot::serial
    std::atomic<std::uint32_t> mallocModule; ///< target: module that serves malloc; kNoModule until known
    LossCounters losses;
    std::atomic<std::uint64_t> timedEvents; ///< target: events of which it measured how long recording them took
    std::atomic<std::uint64_t> timedUnits;  ///< target: how long, in clock units, together

    std::atomic<std::uint32_t> privateRanges; ///< target: how many of MemoryView::privateRange() count
    Order orders[kOrders];                    ///< recorder: by the number of the order, modulo kOrders

    // Questions that a thread waits for; one at a time.
    std::atomic<std::uint32_t> asksAtExit; ///< recorder: 1: the target asks once more before it ends
    std::atomic<std::uint32_t> asking;     ///< target: 1 while a thread asks and waits
    std::atomic<std::uint32_t> asked;      ///< target: number of the last question
    std::atomic<std::uint32_t>
        answered; ///< recorder, futex word, when the rest is there: number of the question it answers
    std::atomic<ScopeVerdict> verdict; ///< recorder
    std::atomic<std::uint32_t>
        answerBytes; ///< recorder: of the text in MemoryView::answer(); it has memory if this is not 0

    // How long the recorder has been silent, once a thread has waited for it in vain.
    std::atomic<std::uint64_t> silentBeat;    ///< target: 1 + the heartbeat at which that was; 0: never yet
    std::atomic<std::uint64_t> silentSinceMs; ///< target: and when, by CLOCK_MONOTONIC
};
static_assert(sizeof(Header) <= 4096 && offsetof(Header, heartbeat) == 64 && offsetof(Header, usedNodes) == 192);

/// What a target waits for, rung with the doorbell.
enum class Want : std::uint32_t { Slot = 1, Nodes = 2 };

/// Who a thread slot belongs to.
enum class SlotState : std::uint32_t {
    Absent = 0, ///< no ring yet
    Free = 1,   ///< recorder → target: has an empty ring, any thread may take it
    Taken
    = 2, ///< target: a thread writes into it. Back to Free by the recorder once the thread is gone and the ring read
};

/// One thread's ring: who writes into it, and how far both sides are. Positions count records and never wrap.
struct ThreadSlot
{
    // The thread's line.
    std::atomic<std::uint64_t> head; ///< target: records written, published with release
    std::atomic<std::uint32_t> tid;  ///< target: before the first record
    std::atomic<std::uint32_t>
        serial; ///< target, when all else about the owner is there (release): from 1 on, rises from owner to owner over all slots
    std::atomic<std::uint64_t> dropped; ///< target: events of this thread that were dropped
    char name[16];                      ///< target: the thread's name when it took the slot, zero terminated
    std::uint64_t stackTop; ///< target: an address in the uppermost part of the thread's stack: its TCB. 0: not known
    std::atomic<std::uint32_t>
        busy; ///< target: 1 while its thread, which records every event, looks at the order and writes
    std::uint32_t reserved1;
    // The recorder's line.
    alignas(64) std::atomic<std::uint64_t> tail; ///< recorder: records read
    std::atomic<SlotState> state;                ///< both, by compare-and-swap
    std::atomic<std::uint32_t> space;            ///< recorder: futex word, raised after reading while a thread waits
    std::atomic<std::uint32_t> waiting;          ///< target: 1 while its thread waits at `space`
    std::uint32_t ringRecords;                   ///< recorder: size of the ring, a power of two
    std::uint64_t ringOffset;                    ///< recorder: where it lies, in bytes from the start of the memory
    std::uint64_t ringBase;                      ///< recorder: position of the ring's first record
    std::atomic<std::uint64_t>
        offer; ///< recorder: a larger ring, see ringOffer(); 0: none. Target takes it with a Jump
    std::uint64_t reserved2;
};
static_assert(sizeof(ThreadSlot) == 128 && offsetof(ThreadSlot, tail) == 64);

/// A larger ring on offer: its page from the start of the memory, and the binary logarithm of its records.
constexpr std::uint64_t ringOffer(std::uint64_t offset, unsigned recordBits)
{
    return (offset / 4096) << 8 | recordBits;
}
constexpr std::uint64_t offeredOffset(std::uint64_t offer) { return (offer >> 8) * 4096; }
constexpr unsigned offeredRecordBits(std::uint64_t offer) { return static_cast<unsigned>(offer & 0xff); }

/// A node of the stack tree: a frame called by `parent`, which always has a lower index. Target, before any record names it.
struct Node
{
    std::uint64_t address; ///< as the unwinder gives it; bit 63: exact, not a return address
    std::uint32_t parent;
    std::uint32_t module; ///< index of its module record, or kNoModule
};
static_assert(sizeof(Node) == 16);
inline constexpr std::uint64_t kExactAddress = std::uint64_t{1} << 63;

inline constexpr std::uint32_t kMostBuildIdBytes = 20; ///< as the kernel's own records have them

/// A mapped module. Target; complete once `ready` is 1 (release).
struct ModuleRecord
{
    std::uint64_t begin; ///< first address
    std::uint64_t end;
    std::uint64_t loadBias;   ///< address in memory minus address in the file
    std::uint32_t pathOffset; ///< into the path area
    std::uint32_t pathBytes;  ///< 0: the program itself
    std::atomic<std::uint32_t> ready;
    std::atomic<std::uint32_t> unloaded; ///< 1 once the loader let it go
    std::uint8_t buildIdBytes;           ///< 0: the loaded image has none
    std::uint8_t buildId[kMostBuildIdBytes];
    std::uint8_t reserved[3];
};
static_assert(sizeof(ModuleRecord) == 64);

/// The build-id of a module into `bytes`, as its record has it; how many bytes those are, 0 where there is none or where it makes no sense.
inline std::uint32_t copyBuildId(const ModuleRecord &record, std::uint8_t (&bytes)[kMostBuildIdBytes])
{
    const std::uint8_t count = __atomic_load_n(&record.buildIdBytes, __ATOMIC_RELAXED);
    if (count > kMostBuildIdBytes)
        return 0;
    for (std::uint32_t i = 0; i < count; ++i)
        bytes[i] = __atomic_load_n(&record.buildId[i], __ATOMIC_RELAXED);
    return count;
}

inline constexpr std::uint64_t kSlotsOffset = 4096;
inline constexpr std::uint64_t kModulesOffset = kSlotsOffset + kMaxThreads * sizeof(ThreadSlot);
inline constexpr std::uint64_t kPathsOffset = kModulesOffset + kMaxModules * sizeof(ModuleRecord);
inline constexpr std::uint64_t kPrivateOffset = kPathsOffset + kModulePathBytes;
inline constexpr std::uint64_t kNodesOffset = kPrivateOffset + kMostPrivateRanges * sizeof(AddressRange);
inline constexpr std::uint64_t kRingsOffset = kNodesOffset + std::uint64_t{kMaxNodes} * sizeof(Node);
inline constexpr std::uint64_t kSampledOffset = kRingsOffset + kRingBytes; ///< see SampledBlocks
inline constexpr unsigned kSampledCounterBits = 14;
inline constexpr std::uint64_t kSampledBucketBytes = 64;
inline constexpr std::uint64_t kMostSampledBuckets = 1u << 16;
inline constexpr std::uint64_t kAnswerOffset
    = kSampledOffset + (1u << kSampledCounterBits) + kMostSampledBuckets * kSampledBucketBytes;
inline constexpr std::uint32_t kMostAnswerBytes = 1u << 14;
inline constexpr std::uint64_t kMemoryBytes = kAnswerOffset + kMostAnswerBytes;
static_assert(kModulesOffset % 4096 == 0 && kPathsOffset % 4096 == 0 && kNodesOffset % 4096 == 0
    && kRingsOffset % 4096 == 0 && kMaxNodes <= (1u << Record::kNodeBits));

/// The parts of the shared memory, by address. Does not own it.
struct MemoryView
{
    unsigned char *base = nullptr;

    Header &header() const { return *reinterpret_cast<Header *>(base); }
    ThreadSlot &slot(std::uint32_t i) const { return reinterpret_cast<ThreadSlot *>(base + kSlotsOffset)[i]; }
    ModuleRecord &module(std::uint32_t i) const { return reinterpret_cast<ModuleRecord *>(base + kModulesOffset)[i]; }
    char *paths() const { return reinterpret_cast<char *>(base + kPathsOffset); }
    /// Target: memory that the tracer mapped for itself; one of 0 bytes does not count.
    AddressRange &privateRange(std::uint32_t i) const
    {
        return reinterpret_cast<AddressRange *>(base + kPrivateOffset)[i];
    }
    Node &node(std::uint32_t i) const { return reinterpret_cast<Node *>(base + kNodesOffset)[i]; }
    Record *ring(std::uint64_t offset) const { return reinterpret_cast<Record *>(base + offset); }
    unsigned char *sampledBlocks() const { return base + kSampledOffset; }
    char *answer() const { return reinterpret_cast<char *>(base + kAnswerOffset); }
};

} // namespace capture::wire
