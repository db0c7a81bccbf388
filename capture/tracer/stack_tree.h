// SPDX-License-Identifier: MIT
#pragma once

#include "capture/wire/layout.h"

#include <atomic>

namespace capture::tracer {

/// The stack tree of this process: each (parent, address, module) has one node in shared memory. Any thread, no lock.
///
/// The index is private: open addressing over node numbers with a part of their hash, so that no other node is touched on the way; replaced by one of twice the size when three quarters
/// full. Threads that add nodes at the same slot at once, or while the index is being replaced, may lose one, which is made again when it is looked for;
/// the recorder takes both for the same stack, so that costs a few bytes and no accuracy.
class StackTree
{
public:
    /// Forgets everything and adds to `memory` from now on. False if there is no memory for the index.
    bool reset(wire::MemoryView memory);

    /// The node of `address` (with wire::kExactAddress where it is exact), which lies in `module`, called by `parent`; added if new; `parent`
    /// itself if the node array is full, or the index with no memory for a larger one, which is counted.
    std::uint32_t child(std::uint32_t parent, std::uint64_t address, std::uint32_t module);

private:
    /// Of a slot, above the number of its node: the uppermost bits of the node's hash.
    static constexpr unsigned kNumberBits = 24;
    static constexpr std::uint32_t kNumberMask = (std::uint32_t{1} << kNumberBits) - 1;
    static_assert(wire::kMaxNodes <= kNumberMask);

    struct Index
    {
        std::atomic<std::uint32_t> *slots;
        std::uint32_t bits;
    };

    bool isNode(std::uint32_t number, std::uint32_t parent, std::uint64_t address, std::uint32_t module) const;
    std::uint32_t add(std::uint32_t parent, std::uint64_t address, std::uint32_t module);
    bool waitForCommit(std::uint32_t node) const;
    static void clearSlots(const Index &index);
    static bool insert(const Index &index, std::uint32_t node, std::uint64_t hash);
    void growIfNeeded();

    wire::MemoryView m_memory;
    static constexpr unsigned kFirstBits = 12, kLastBits = 23;
    Index m_indexes[kLastBits + 1] = {}; ///< by bits; each is made once and kept
    std::atomic<const Index *> m_index = nullptr;
    std::atomic<std::uint32_t> m_isGrowing = 0;
    std::atomic<std::uint32_t> m_cannotGrow = 0; ///< there was no memory for a larger index
};

} // namespace capture::tracer
