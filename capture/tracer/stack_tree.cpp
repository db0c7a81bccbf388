// SPDX-License-Identifier: MIT
#include "capture/tracer/stack_tree.h"

#include "capture/tracer/doorbell.h"
#include "capture/tracer/path_hash.h"
#include "capture/tracer/raw_syscall.h"
#include "capture/tracer/restrictions.h"
#include "capture/tracer/tracer_api.h"

#include <sys/mman.h>

#include <algorithm>

namespace capture::tracer {

namespace {

std::size_t bytesOf(unsigned bits) { return sizeof(std::uint32_t) << bits; }

} // namespace

/// Gives its pages back, or writes zeros where they are locked or that is forbidden.
void StackTree::clearSlots(const Index &index)
{
    const std::size_t bytes = bytesOf(index.bits);
    if (!Restrictions::allow(Ask::Map)
        || failed(rawSyscall(SYS_madvise, asLong(index.slots), static_cast<long>(bytes), MADV_DONTNEED)))
        __builtin_memset(static_cast<void *>(index.slots), 0, bytes);
}

bool StackTree::reset(wire::MemoryView memory)
{
    m_memory = memory;
    m_isGrowing.store(0, std::memory_order_relaxed);
    m_cannotGrow.store(0, std::memory_order_relaxed);
    unmapHashes(); // a parent was at it when it forked
    for (unsigned bits = kFirstBits; bits <= kLastBits; ++bits) {
        m_indexes[bits].bits = bits;
        if (m_indexes[bits].slots != nullptr)
            clearSlots(m_indexes[bits]);
    }
    Index &first = m_indexes[kFirstBits];
    if (first.slots == nullptr)
        first.slots = static_cast<std::atomic<std::uint32_t> *>(mapPrivate(bytesOf(kFirstBits)));
    m_index.store(&first, std::memory_order_release);
    return first.slots != nullptr;
}

std::uint32_t StackTree::add(std::uint32_t parent, std::uint64_t address, std::uint32_t module, std::uint64_t pathHash)
{
    wire::Header &header = m_memory.header();
    growIfNeeded();
    // Where the index cannot grow for good, a node that found no slot would be made anew whenever it is looked for, which would read all of it.
    const std::uint32_t most = m_cannotGrow.load(std::memory_order_relaxed) == 0
        ? wire::kMaxNodes
        : std::min(wire::kMaxNodes, (std::uint32_t{7} << m_index.load(std::memory_order_acquire)->bits) / 8);
    std::uint32_t number = header.usedNodes.load(std::memory_order_relaxed);
    do {
        const bool hasMemory = number < header.committedNodes.load(std::memory_order_acquire);
        if (number >= most || (!hasMemory && !waitForCommit(number))) {
            header.losses.nodesRefused.fetch_add(1, std::memory_order_relaxed);
            return parent;
        }
    } while (!header.usedNodes.compare_exchange_weak(number, number + 1, std::memory_order_relaxed));
    wire::Node &node = m_memory.node(number);
    node.parent = parent;
    node.module = module;
    __atomic_store_n(&node.address, address, __ATOMIC_RELEASE);
    insert(*m_index.load(std::memory_order_acquire), number, pathHash);
    return number;
}

bool StackTree::waitForCommit(std::uint32_t node) const
{
    const std::atomic<std::uint32_t> &committed = m_memory.header().committedNodes;
    Doorbell doorbell(m_memory);
    return doorbell.waitUntil(wire::Want::Nodes, [&] { return node < committed.load(std::memory_order_acquire); });
}

bool StackTree::insert(const Index &index, std::uint32_t node, std::uint64_t pathHash)
{
    const std::uint32_t mask = (std::uint32_t{1} << index.bits) - 1;
    const std::uint32_t slot = node | (static_cast<std::uint32_t>(pathHash) & kTagMask);
    std::uint32_t at = static_cast<std::uint32_t>(pathHash) & mask;
    for (std::uint32_t i = 0; i < kMostProbes; ++i, at = (at + 1) & mask) {
        // Not exchanged: who comes to the same slot at once takes this node out of the index, and it is made again when it is looked for.
        const std::uint32_t found = index.slots[at].load(std::memory_order_relaxed);
        if (found == slot)
            return true; // entered while the index was replaced
        if (found == 0) {
            index.slots[at].store(slot, std::memory_order_release);
            return true;
        }
    }
    return false;
}

/// Enters nodes by number, all before `first` having been entered, up to `end` or one that is being written just now. Returns which is next.
std::uint32_t StackTree::enter(const Index &index, std::uint32_t first, std::uint32_t end) const
{
    for (std::uint32_t number = first; number < end; ++number) {
        const std::uint64_t frame = address(number);
        if (frame == 0)
            return number;
        const std::uint32_t above = parent(number);
        if (above >= number)
            continue; // of a hostile writer
        m_hashes[number] = PathHash::extended(m_hashes[above], frame);
        insert(index, number, m_hashes[number]);
    }
    return end;
}

/// For as many nodes as there can be: untouched pages cost nothing.
bool StackTree::mapHashes()
{
    if (!Restrictions::allow(Ask::Map))
        return false;
    const long mapped = rawSyscall(SYS_mmap, 0, static_cast<long>(sizeof(std::uint64_t) * wire::kMaxNodes),
        PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (failed(mapped))
        return false;
    m_hashes = reinterpret_cast<std::uint64_t *>(mapped);
    for (std::uint32_t root = 0; root < wire::kRootNodes; ++root)
        m_hashes[root] = PathHash::ofRoot(root);
    return true;
}

void StackTree::unmapHashes()
{
    const std::uint64_t *const hashes = m_hashes;
    m_hashes = nullptr; // first: of a fork in between the child must not unmap what lies there by then
    if (hashes != nullptr && Restrictions::allow(Ask::Map))
        rawSyscall(SYS_munmap, asLong(hashes), static_cast<long>(sizeof(std::uint64_t) * wire::kMaxNodes));
}

/// Enters all nodes into `larger` and has it used. False if there is no memory for their hashes.
bool StackTree::replaceBy(const Index &larger)
{
    const wire::Header &header = m_memory.header();
    const auto used = [&] {
        const std::uint32_t number = header.usedNodes.load(std::memory_order_acquire);
        return std::min({number, header.committedNodes.load(std::memory_order_acquire), wire::kMaxNodes});
    };
    if (!mapHashes())
        return false;
    // Meanwhile others go on entering theirs into the old one: until there are few, and then what is left.
    constexpr std::uint32_t kFew = 64;
    constexpr int kMostRounds = 8;
    std::uint32_t next = wire::kRootNodes;
    for (int round = 0; round < kMostRounds && used() > next + kFew; ++round)
        next = enter(larger, next, used());
    m_index.store(&larger, std::memory_order_release);
    // One that its thread has reserved and not written is passed over: it is entered by that thread, or by who makes it again.
    while (next < used())
        next = enter(larger, next, used()) + 1;
    unmapHashes();
    return true;
}

void StackTree::growIfNeeded()
{
    const Index &old = *m_index.load(std::memory_order_acquire);
    const std::uint32_t used = m_memory.header().usedNodes.load(std::memory_order_relaxed);
    if (used < (std::uint32_t{3} << old.bits) / 4 || old.bits == kLastBits)
        return;
    if (m_isGrowing.exchange(1, std::memory_order_acquire) != 0)
        return;
    // Again, now that nobody else replaces it.
    if (m_index.load(std::memory_order_acquire) == &old) {
        Index &larger = m_indexes[old.bits + 1];
        if (larger.slots == nullptr)
            larger.slots = static_cast<std::atomic<std::uint32_t> *>(mapPrivate(bytesOf(larger.bits)));
        const bool isReplaced = larger.slots != nullptr && replaceBy(larger);
        m_cannotGrow.store(isReplaced ? 0 : 1, std::memory_order_relaxed);
        if (larger.slots != nullptr)
            publishPrivateMemory();
        // Who still reads the old index finds it empty and makes a node twice, which does no harm.
        if (isReplaced && Restrictions::allow(Ask::Map))
            rawSyscall(SYS_madvise, asLong(old.slots), static_cast<long>(bytesOf(old.bits)), MADV_DONTNEED);
    }
    m_isGrowing.store(0, std::memory_order_release);
}

} // namespace capture::tracer
