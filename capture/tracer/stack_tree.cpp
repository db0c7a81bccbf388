// SPDX-License-Identifier: MIT
#include "capture/tracer/stack_tree.h"

#include "capture/tracer/doorbell.h"
#include "capture/tracer/raw_syscall.h"
#include "capture/tracer/restrictions.h"
#include "capture/tracer/tracer_api.h"

#include <sys/mman.h>

#include <algorithm>

namespace capture::tracer {

namespace {

std::uint64_t hashOf(std::uint32_t parent, std::uint64_t address, std::uint32_t module)
{
    std::uint64_t h = (address ^ (std::uint64_t{parent} << 32 | module)) * 0x9e3779b97f4a7c15;
    h = (h ^ (h >> 29) ^ parent) * 0xd6e8feb86659fd93;
    return h ^ (h >> 32);
}

/// What a slot says of its node's hash, which does not depend on the size of the index.
constexpr std::uint32_t tagOf(std::uint64_t hash, unsigned numberBits)
{
    return static_cast<std::uint32_t>(hash >> (32 + numberBits)) << numberBits;
}

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
    for (Index &index : m_indexes)
        if (index.slots != nullptr)
            clearSlots(index);
    Index &first = m_indexes[kFirstBits];
    if (first.slots == nullptr)
        first = {static_cast<std::atomic<std::uint32_t> *>(mapPrivate(bytesOf(kFirstBits))), kFirstBits};
    m_index.store(&first, std::memory_order_release);
    return first.slots != nullptr;
}

std::uint32_t StackTree::child(std::uint32_t parent, std::uint64_t address, std::uint32_t module)
{
    const std::uint32_t next = parent + 1;
    // The newest node has no children yet: who knows a node's number has seen it counted. One that another thread adds meanwhile is made twice.
    if (next == m_memory.header().usedNodes.load(std::memory_order_relaxed))
        return add(parent, address, module);
    // The frames that a stack added were numbered one after the other: mostly its line has been fetched with the parent's.
    if (next < wire::kMaxNodes && isNode(next, parent, address, module))
        return next;
    const Index &index = *m_index.load(std::memory_order_acquire);
    const std::uint32_t mask = (std::uint32_t{1} << index.bits) - 1;
    const std::uint64_t hash = hashOf(parent, address, module);
    std::uint32_t at = static_cast<std::uint32_t>(hash) & mask;
    const std::uint32_t tag = tagOf(hash, kNumberBits);
    for (std::uint32_t i = 0; i <= mask; ++i, at = (at + 1) & mask) {
        const std::uint32_t found = index.slots[at].load(std::memory_order_acquire);
        if (found == 0)
            break;
        if ((found & ~kNumberMask) != tag)
            continue;
        if (isNode(found & kNumberMask, parent, address, module))
            return found & kNumberMask;
    }
    return add(parent, address, module);
}

/// Another thread may be writing the node just now: it is one once all of it is there.
bool StackTree::isNode(std::uint32_t number, std::uint32_t parent, std::uint64_t address, std::uint32_t module) const
{
    const wire::Node &node = m_memory.node(number);
    return __atomic_load_n(&node.address, __ATOMIC_RELAXED) == address
        && __atomic_load_n(&node.parent, __ATOMIC_RELAXED) == parent
        && __atomic_load_n(&node.module, __ATOMIC_RELAXED) == module;
}

std::uint32_t StackTree::add(std::uint32_t parent, std::uint64_t address, std::uint32_t module)
{
    wire::Header &header = m_memory.header();
    growIfNeeded();
    // Where the index is full for good, a node would be made anew whenever it is looked for.
    const std::uint32_t most = m_cannotGrow.load(std::memory_order_relaxed) == 0
        ? wire::kMaxNodes
        : std::min(wire::kMaxNodes, std::uint32_t{1} << m_index.load(std::memory_order_acquire)->bits);
    std::uint32_t number = header.usedNodes.load(std::memory_order_relaxed);
    do {
        if (number >= most) {
            header.losses.nodesRefused.fetch_add(1, std::memory_order_relaxed);
            return parent;
        }
    } while (!header.usedNodes.compare_exchange_weak(number, number + 1, std::memory_order_relaxed));
    if (number >= header.committedNodes.load(std::memory_order_acquire) && !waitForCommit(number)) {
        header.losses.nodesRefused.fetch_add(1, std::memory_order_relaxed);
        return parent;
    }
    m_memory.node(number) = {address, parent, module};
    insert(*m_index.load(std::memory_order_acquire), number, hashOf(parent, address, module));
    return number;
}

bool StackTree::waitForCommit(std::uint32_t node) const
{
    const std::atomic<std::uint32_t> &committed = m_memory.header().committedNodes;
    Doorbell doorbell(m_memory);
    return doorbell.waitUntil(wire::Want::Nodes, [&] { return node < committed.load(std::memory_order_acquire); });
}

bool StackTree::insert(const Index &index, std::uint32_t node, std::uint64_t hash)
{
    const std::uint32_t mask = (std::uint32_t{1} << index.bits) - 1;
    const std::uint32_t slot = node | tagOf(hash, kNumberBits);
    std::uint32_t at = static_cast<std::uint32_t>(hash) & mask;
    for (std::uint32_t i = 0; i <= mask; ++i, at = (at + 1) & mask) {
        // Not exchanged: who comes to the same slot at once takes this node out of the index, and it is made again when it is looked for.
        if (index.slots[at].load(std::memory_order_relaxed) == 0) {
            index.slots[at].store(slot, std::memory_order_release);
            return true;
        }
    }
    return false;
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
    const Index &current = *m_index.load(std::memory_order_acquire);
    if (&current == &old) {
        Index &larger = m_indexes[old.bits + 1];
        if (larger.slots == nullptr)
            larger = {static_cast<std::atomic<std::uint32_t> *>(mapPrivate(bytesOf(old.bits + 1))), old.bits + 1};
        m_cannotGrow.store(larger.slots == nullptr ? 1 : 0, std::memory_order_relaxed);
        if (larger.slots != nullptr) {
            // By number, as they lie in memory. One that is being written just now stays out, or gets a slot in which nobody will find it; its
            // own thread enters it afterwards.
            const std::uint32_t committed = m_memory.header().committedNodes.load(std::memory_order_acquire);
            const std::uint32_t end = m_memory.header().usedNodes.load(std::memory_order_relaxed);
            for (std::uint32_t number = wire::kRootNodes; number < end && number < committed; ++number) {
                const wire::Node &node = m_memory.node(number);
                if (const std::uint64_t address = __atomic_load_n(&node.address, __ATOMIC_RELAXED); address != 0)
                    insert(larger, number,
                        hashOf(__atomic_load_n(&node.parent, __ATOMIC_RELAXED), address,
                            __atomic_load_n(&node.module, __ATOMIC_RELAXED)));
            }
            m_index.store(&larger, std::memory_order_release);
            publishPrivateMemory();
            // Who still reads the old index finds it empty and makes a node twice, which does no harm.
            if (Restrictions::allow(Ask::Map))
                rawSyscall(SYS_madvise, asLong(old.slots), static_cast<long>(bytesOf(old.bits)), MADV_DONTNEED);
        }
    }
    m_isGrowing.store(0, std::memory_order_release);
}

} // namespace capture::tracer
