// SPDX-License-Identifier: MIT
#pragma once

#include "capture/wire/layout.h"

#include <atomic>

namespace capture::tracer {

/// The stack tree of this process: each (parent, address, module) has one node in shared memory. Any thread, no lock.
///
/// The index is private: open addressing over node numbers, by the hash of the path to each (PathHash), so that each frame of a path can be looked up
/// without those above it, and a path that is known is found at once. A slot holds a part of the hash too: hardly any other node is touched on the way.
/// It is replaced by one of twice the size when three quarters full. Threads that add nodes at the same slot at once, or at the moment when the index
/// is replaced, may lose one, which is made again when it is looked for; the recorder takes both for the same stack, so that costs a few bytes and no accuracy.
class StackTree
{
public:
    /// Forgets everything and adds to `memory` from now on. False if there is no memory for the index.
    bool reset(wire::MemoryView memory);

    /// The node of the path with this hash of which `isIt(number)` holds; 0 if there is none.
    template <typename IsIt> std::uint32_t find(std::uint64_t pathHash, IsIt isIt) const
    {
        const Index &index = *m_index.load(std::memory_order_acquire);
        const std::uint32_t mask = (std::uint32_t{1} << index.bits) - 1, low = static_cast<std::uint32_t>(pathHash);
        std::uint32_t at = low & mask;
        for (std::uint32_t i = 0; i < kMostProbes; ++i, at = (at + 1) & mask) {
            const std::uint32_t found = index.slots[at].load(std::memory_order_acquire);
            if (found == 0)
                break;
            if (((found ^ low) & kTagMask) == 0 && isIt(found & kNumberMask))
                return found & kNumberMask;
        }
        return 0;
    }

    /// Has what find() reads first fetched.
    void prefetch(std::uint64_t pathHash) const
    {
        const Index &index = *m_index.load(std::memory_order_acquire);
        __builtin_prefetch(
            &index.slots[static_cast<std::uint32_t>(pathHash) & ((std::uint32_t{1} << index.bits) - 1)], 1);
    }

    /// A new node, of a path that find() does not know: of `address` (with wire::kExactAddress where it is exact), which lies in `module`, called by
    /// `parent`. `parent` itself if there is no room, because the node array is full, or waits for the recorder, or the index has no memory for a larger one: that is counted.
    std::uint32_t add(std::uint32_t parent, std::uint64_t address, std::uint32_t module, std::uint64_t pathHash);

    // Another thread may be writing a node that is looked at: it is one once it has an address, which is to be looked at first.
    std::uint64_t address(std::uint32_t number) const
    {
        return __atomic_load_n(&m_memory.node(number).address, __ATOMIC_ACQUIRE);
    }
    std::uint32_t parent(std::uint32_t number) const
    {
        return __atomic_load_n(&m_memory.node(number).parent, __ATOMIC_RELAXED);
    }
    std::uint32_t module(std::uint32_t number) const
    {
        return __atomic_load_n(&m_memory.node(number).module, __ATOMIC_RELAXED);
    }

private:
    /// Of a slot, above the number of its node: these bits of the hash, which do not depend on the size of the index.
    static constexpr unsigned kNumberBits = 24;
    static constexpr std::uint32_t kNumberMask = (std::uint32_t{1} << kNumberBits) - 1, kTagMask = ~kNumberMask;
    static_assert(wire::kMaxNodes <= kNumberMask);

    struct Index
    {
        std::atomic<std::uint32_t> *slots;
        std::uint32_t bits;
    };

    bool waitForCommit(std::uint32_t node) const;
    static void clearSlots(const Index &index);
    static bool insert(const Index &index, std::uint32_t node, std::uint64_t pathHash);
    void growIfNeeded();
    bool replaceBy(const Index &larger);
    std::uint32_t enter(const Index &index, std::uint32_t first, std::uint32_t end) const;
    bool mapHashes();
    void unmapHashes();

    wire::MemoryView m_memory;
    static constexpr unsigned kFirstBits = 12, kLastBits = 23;
    static_assert(kLastBits <= kNumberBits);
    /// Slots in a row that are looked at: more than are ever full while a quarter of all are empty. They fill up while a thread that makes a larger
    /// index is kept from it, or where none can be made; what is further away is made again.
    static constexpr std::uint32_t kMostProbes = 1024;
    static_assert(kMostProbes <= std::uint32_t{1} << kFirstBits);
    Index m_indexes[kLastBits + 1] = {}; ///< by bits; each is made once and kept
    std::atomic<const Index *> m_index = nullptr;
    std::atomic<std::uint32_t> m_isGrowing = 0;
    std::atomic<std::uint32_t> m_cannotGrow = 0; ///< there was no memory for a larger index
    // While a larger one is made: the hashes of paths, by their nodes' numbers.
    std::uint64_t *m_hashes = nullptr;
};

} // namespace capture::tracer
