// SPDX-License-Identifier: MIT
#pragma once

#include "capture/tracer/stack_memory.h"
#include "capture/tracer/stack_tree.h"
#include "capture/unwind/local_rules.h"
#include "capture/unwind/registers.h"
#include "capture/wire/shared_ring.h"

namespace capture::tracer {

/// A direct-mapped cache (parent, address) → node in front of the shared tree: the tree costs cache and TLB misses, this
/// costs one line.
class NodeCache
{
public:
    std::uint32_t child(StackTree &tree, std::uint32_t parent, std::uint64_t address)
    {
        Entry &entry = m_entries[((address ^ (std::uint64_t{parent} << 17)) * 0x9e3779b97f4a7c15) >> (64 - kBits)];
        if (entry.address == address && entry.parent == parent)
            return entry.node;
        const std::uint32_t node = tree.child(parent, address);
        // A node that was refused must be counted each time.
        if (node != parent)
            entry = {address, parent, node};
        return node;
    }
    void flush();

private:
    static constexpr unsigned kBits = 11;
    struct Entry
    {
        std::uint64_t address;
        std::uint32_t parent;
        std::uint32_t node;
    };
    Entry m_entries[std::size_t{1} << kBits];
};

/// The frames of a thread's last stack, root first, each with its node: stacks of a thread share most of their roots.
struct LastStack
{
    static constexpr std::uint32_t kMostFrames = 1024;

    std::uint32_t count = 0;
    std::uint32_t root = 0;
    std::uint32_t nodes[kMostFrames];
    std::uint64_t addresses[kMostFrames];
};

/// What a recording thread has of its own, beside its two words of TLS: 54 KiB of private memory, which the next owner
/// of its slot takes over.
struct ThreadState
{
    wire::RingWriter ring;
    std::uint64_t lastTime = 0;   ///< clock units of the last record
    std::uint64_t generation = 0; ///< of the modules, when the caches were last known good
    bool gaveUp = false;          ///< waited for room in vain: until there is some, events are dropped without waiting
    KnownStack stack;
    LastStack last;
    NodeCache nodes;
    std::uint64_t walk[LastStack::kMostFrames];
    bool walkIsExact[LastStack::kMostFrames];

    /// Makes it the calling thread's own, writing into `writer`'s ring.
    void begin(wire::RingWriter writer, std::uint64_t sp);
};
static_assert(sizeof(ThreadState) <= 60 * 1024);

/// Walks the calling thread's stack from `registers` and returns its node. Frames of the tracer itself are left out.
std::uint32_t captureStack(ThreadState &thread, const unwind::Registers &registers);

} // namespace capture::tracer
