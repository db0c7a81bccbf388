// SPDX-License-Identifier: MIT
#include "capture/tracer/thread_state.h"

#include "capture/tracer/tracing.h"
#include "capture/unwind/unwinder.h"

#include <cstring>

namespace capture::tracer {

void NodeCache::flush() { std::memset(static_cast<void *>(m_entries), 0, sizeof m_entries); }

void ThreadState::begin(wire::RingWriter writer, std::uint64_t sp)
{
    ring = writer;
    lastTime = 0;
    gaveUp = false;
    stack.reset(sp);
    last.count = 0;
}

std::uint32_t captureStack(ThreadState &thread, const unwind::Registers &registers)
{
    Tracing &tracing = g_tracing;
    const std::uint64_t generation = tracing.generation.load(std::memory_order_acquire);
    if (thread.generation != generation) {
        thread.nodes.flush();
        thread.last.count = 0;
        thread.generation = generation;
    }
    thread.stack.extendTo(registers.sp());
    unwind::LocalRules rules(tracing.rules, tracing.findObject);
    const StackMemory memory(thread.stack);
    const unwind::StackWalk walk
        = unwind::unwind(registers, rules, memory, thread.walk, LastStack::kMostFrames, thread.walkIsExact);

    std::size_t leaf = 0;
    while (leaf < walk.count && tracing.isOwnCode(thread.walk[leaf]))
        ++leaf;

    LastStack &last = thread.last;
    std::uint32_t node = static_cast<std::uint32_t>(walk.end);
    std::uint32_t depth = 0;
    if (last.root != node)
        last.count = 0;
    last.root = node;
    std::uint32_t known = last.count;
    for (std::size_t i = walk.count; i-- > leaf; ++depth) {
        const std::uint64_t address = thread.walk[i] | (thread.walkIsExact[i] ? wire::kExactAddress : 0);
        if (depth < known && last.addresses[depth] == address) {
            node = last.nodes[depth];
            continue;
        }
        known = 0;
        const std::uint32_t child = thread.nodes.child(tracing.tree, node, address);
        if (child == node) {
            last.count = 0; // refused: the tree is full, and the stack ends at its deepest known ancestor
            return node;
        }
        node = child;
        last.addresses[depth] = address;
        last.nodes[depth] = node;
    }
    last.count = depth;
    return node;
}

} // namespace capture::tracer
