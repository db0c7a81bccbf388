// SPDX-License-Identifier: MIT
// The tracer's side of genesis_profiler.h.
#include "capture/tracer/tracer_api.h"

#include "capture/tracer/elf_lookup.h"
#define GENESIS_PROFILER_TRACER
#include "capture/tracer/genesis_profiler.h"
#include "capture/tracer/interpose.h"
#include "capture/tracer/raw_syscall.h"
#include "capture/tracer/scopes.h"
#include "capture/tracer/tracing.h"

#include <elf.h>
#include <link.h>
#include <sys/auxv.h>

#include <atomic>
#include <cstring>

namespace capture::tracer {

namespace {

using Slot = const genesis_profiler_api *;
using wire::RecordType;

static_assert(static_cast<unsigned>(wire::NoteKind::Mark) == GENESIS_NOTE_MARK
    && static_cast<unsigned>(wire::NoteKind::PhaseBegin) == GENESIS_NOTE_PHASE_BEGIN
    && static_cast<unsigned>(wire::NoteKind::PhaseEnd) == GENESIS_NOTE_PHASE_END
    && static_cast<unsigned>(wire::NoteKind::ThreadName) == GENESIS_NOTE_THREAD_NAME);

constexpr unsigned kPoolBits = 16;
constexpr std::uint64_t kPoolMask = (std::uint64_t{1} << kPoolBits) - 1;

std::atomic<std::uint64_t> g_connection; ///< tokens of pools made under another one are worth nothing
std::atomic<std::uint32_t> g_pools;      ///< of this connection

} // namespace

void writeNote(wire::NoteKind kind, const char *text, std::size_t bytes, std::uint64_t pool)
{
    if (bytes > wire::kMostNoteBytes)
        bytes = wire::kMostNoteBytes;
    for (std::size_t at = 0; at < bytes; at += wire::kTextRecordBytes) {
        const wire::TextPiece piece = wire::textPiece(text + at, bytes - at);
        recordPlain(RecordType::Text, piece.pointer, piece.size, piece.node);
    }
    recordPlain(RecordType::Note, pool << wire::kPoolShift, bytes, static_cast<std::uint32_t>(kind));
}

namespace {

/// The pool's number under this connection; 0 if it cannot have one. A pool that is new to the recorder introduces itself.
std::uint64_t poolNumber(genesis_pool *pool)
{
    if (pool == nullptr || !g_tracing.isRecording())
        return 0;
    const std::uint64_t connection = g_connection.load(std::memory_order_relaxed);
    std::uint64_t token = __atomic_load_n(&pool->token, __ATOMIC_ACQUIRE);
    if (token != 0 && token >> kPoolBits == connection)
        return token & kPoolMask;
    std::uint32_t used = g_pools.load(std::memory_order_relaxed);
    do {
        if (used >= kPoolMask) {
            g_tracing.memory.header().losses.poolsRefused.fetch_add(1, std::memory_order_relaxed);
            return 0;
        }
    } while (!g_pools.compare_exchange_weak(used, used + 1, std::memory_order_relaxed));
    const std::uint64_t number = std::uint64_t{used} + 1;
    const char *name = pool->name != nullptr ? pool->name : "";
    writeNote(wire::NoteKind::PoolCreate, name, std::strlen(name), number);
    const std::uint64_t mine = connection << kPoolBits | number;
    if (__atomic_compare_exchange_n(&pool->token, &token, mine, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        return number;
    return token >> kPoolBits == connection ? token & kPoolMask : 0; // another thread was first
}

void note(unsigned kind, const char *text, std::size_t bytes)
{
    const ReentrancyGuard guard;
    if (!guard)
        return countReentered();
    if (kind >= GENESIS_NOTE_MARK && kind <= GENESIS_NOTE_THREAD_NAME)
        writeNote(static_cast<wire::NoteKind>(kind), text, text != nullptr ? bytes : 0, 0);
}

void poolAllocated(genesis_pool *pool, const void *block, std::size_t bytes)
{
    const ReentrancyGuard guard;
    if (!guard)
        return countReentered();
    const std::uint64_t number = poolNumber(pool);
    const auto address = reinterpret_cast<std::uint64_t>(block);
    if (number != 0 && address != 0 && address >> wire::kPoolShift == 0)
        recordAllocation(RecordType::PoolAlloc, reinterpret_cast<const void *>(number << wire::kPoolShift | address),
            bytes, callerFrame());
}

void poolFreed(genesis_pool *pool, const void *block)
{
    const ReentrancyGuard guard;
    if (!guard)
        return countReentered();
    const std::uint64_t number = poolNumber(pool);
    const auto address = reinterpret_cast<std::uint64_t>(block);
    if (number != 0 && address != 0 && address >> wire::kPoolShift == 0)
        recordPlain(RecordType::PoolFree, number << wire::kPoolShift | address, 0, 0);
}

void poolDestroyed(genesis_pool *pool)
{
    const ReentrancyGuard guard;
    if (!guard)
        return countReentered();
    if (pool == nullptr || !g_tracing.isRecording())
        return;
    const std::uint64_t token = __atomic_exchange_n(&pool->token, 0, __ATOMIC_ACQ_REL);
    if (token != 0 && token >> kPoolBits == g_connection.load(std::memory_order_relaxed))
        writeNote(wire::NoteKind::PoolDestroy, "", 0, token & kPoolMask);
}

constinit const genesis_profiler_api g_api{
    2, sizeof(genesis_profiler_api), note, poolAllocated, poolFreed, poolDestroyed, beginScope, endScope};

void fill(Slot *slot) { __atomic_store_n(slot, &g_api, __ATOMIC_RELEASE); }

std::size_t aligned(std::size_t bytes, std::size_t alignment) { return (bytes + alignment - 1) & ~(alignment - 1); }

/// The slots that the notes of one segment name: each note holds the distance from itself to the slot.
void fillFromNotes(const unsigned char *at, std::size_t bytes, std::size_t alignment)
{
    static constexpr char kOwner[] = "Genesis";
    while (bytes >= sizeof(Elf64_Nhdr)) {
        Elf64_Nhdr header;
        std::memcpy(&header, at, sizeof header);
        const std::size_t text = aligned(sizeof header + header.n_namesz, alignment);
        const std::size_t whole = aligned(text + header.n_descsz, alignment);
        if (whole > bytes || text > bytes)
            return;
        std::int64_t distance;
        if (header.n_type == GENESIS_NOTE_TYPE && header.n_namesz == sizeof kOwner
            && std::memcmp(at + sizeof header, kOwner, sizeof kOwner) == 0 && header.n_descsz >= sizeof distance) {
            std::memcpy(&distance, at + text, sizeof distance);
            fill(reinterpret_cast<Slot *>(const_cast<unsigned char *>(at) + text + distance));
        }
        at += whole;
        bytes -= whole;
    }
}

/// The module has been looked at before: its headers are in its first page.
const Elf64_Ehdr *headerAt(std::uint64_t begin) { return reinterpret_cast<const Elf64_Ehdr *>(begin); }
const Elf64_Phdr *headersAt(std::uint64_t begin)
{
    return reinterpret_cast<const Elf64_Phdr *>(begin + headerAt(begin)->e_phoff);
}

/// Whether the file's part that `segment` names was loaded, and can be read.
bool isLoaded(const Elf64_Phdr &segment, const Elf64_Phdr *segments, std::size_t count)
{
    for (std::size_t i = 0; i < count; ++i) {
        const Elf64_Phdr &load = segments[i];
        const std::uint64_t offset = segment.p_vaddr - load.p_vaddr;
        if (load.p_type == PT_LOAD && (load.p_flags & PF_R) != 0 && offset < load.p_memsz
            && segment.p_memsz <= load.p_memsz - offset)
            return true;
    }
    return false;
}

void fillModule(const Elf64_Phdr *segments, std::size_t count, std::uint64_t bias)
{
    for (std::size_t i = 0; i < count; ++i) {
        const Elf64_Phdr &segment = segments[i];
        if (segment.p_type == PT_NOTE && isLoaded(segment, segments, count))
            fillFromNotes(reinterpret_cast<const unsigned char *>(bias + segment.p_vaddr), segment.p_memsz,
                segment.p_align == 8 ? 8 : 4);
    }
}

} // namespace

void publishPrivateMemory()
{
    static_assert(PrivateMemory::kMost == wire::kMostPrivateRanges);
    wire::Header &header = g_tracing.memory.header();
    const std::uint32_t mapped = __atomic_load_n(&g_privateMemory.count, __ATOMIC_RELAXED);
    const std::uint32_t count = mapped < PrivateMemory::kMost ? mapped : PrivateMemory::kMost;
    for (std::uint32_t i = 0; i < count; ++i) {
        const PrivateMemory::Range &range = g_privateMemory.ranges[i];
        const std::uint64_t bytes = __atomic_load_n(&range.bytes, __ATOMIC_ACQUIRE);
        if (bytes != 0) // else another thread is about to enter and publish it
            g_tracing.memory.privateRange(i) = {range.begin, bytes};
    }
    std::uint32_t before = header.privateRanges.load(std::memory_order_relaxed);
    while (before < count
        && !header.privateRanges.compare_exchange_weak(
            before, count, std::memory_order_release, std::memory_order_relaxed)) { }
}

void renewApi()
{
    g_connection.fetch_add(1, std::memory_order_relaxed);
    g_pools.store(0, std::memory_order_relaxed);
}

void offerApi()
{
    renewApi();
    for (const link_map *module = firstModule(); module != nullptr; module = module->l_next) {
        unwind::LocalModule found;
        if (module == firstModule())
            fillModule(reinterpret_cast<const Elf64_Phdr *>(getauxval(AT_PHDR)), getauxval(AT_PHNUM), module->l_addr);
        else if (unwind::findModule(g_tracing.findObject, reinterpret_cast<std::uint64_t>(module->l_ld), found))
            fillModule(headersAt(found.begin), headerAt(found.begin)->e_phnum, module->l_addr);
    }
}

} // namespace capture::tracer

/// A module that is loaded later brings its own slot. Without a recorder it is left empty.
GENESIS_EXPORT void genesis_profiler_join(const genesis_profiler_api **slot)
{
    if (capture::tracer::ForkFlag::isRaised())
        capture::tracer::fill(slot);
}
