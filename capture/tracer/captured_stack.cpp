// SPDX-License-Identifier: MIT
#include "capture/tracer/captured_stack.h"

#include "capture/unwind/unwinder.h"

namespace capture::tracer {

std::uint32_t capturePlainly(ThreadState &thread)
{
    Tracing &tracing = g_tracing;
    unwind::LocalRules rules(tracing.rules, tracing.findObject);
    const StackMemory memory(thread.stack);
    const unwind::StackWalk walk = unwind::unwind(
        unwind::Registers::here(), rules, memory, thread.walk, IncrementalStack::kMostFrames, thread.walkIsExact);
    const NodesOf nodes{thread, &tracing.memory.node(0)};
    std::size_t leaf = 0;
    while (leaf < walk.count && tracing.isOwnCode(thread.walk[leaf]))
        ++leaf;
    const auto addressOf
        = [&](std::size_t i) { return thread.walk[i] | (thread.walkIsExact[i] ? wire::kExactAddress : 0); };
    const auto root = static_cast<std::uint32_t>(walk.end);
    std::uint64_t hash = 0;
    for (std::size_t i = leaf; i < walk.count; ++i)
        hash = LeafTable::mixed(hash, addressOf(i));
    hash = LeafTable::finished(hash, root);
    LeafTable &leaves = thread.last.leaves();
    if (const std::uint32_t guess = leaves.guess(hash); LeafTable::isNode(guess)) {
        std::uint32_t node = guess;
        std::size_t i = leaf;
        for (; i < walk.count && nodes.address(node) == addressOf(i); ++i)
            node = nodes.parent(node);
        if (i == walk.count && node == root)
            return guess;
    }
    std::uint32_t node = root;
    for (std::size_t i = walk.count; i-- > leaf;) {
        const std::uint32_t child = nodes.child(node, addressOf(i));
        if (child == node)
            return node; // refused: the tree is full, and the stack ends at its deepest known ancestor
        node = child;
    }
    leaves.set(hash, node);
    return node;
}

void forgetStack(ThreadState &thread, std::uint64_t generation)
{
    thread.steps.flush();
    thread.modules.flush();
    thread.last.forget();
    thread.generation = generation;
}

std::uint32_t captureStack(ThreadState &thread, const unwind::NarrowFrame &caller)
{
    return captureStackInline(thread, caller);
}

} // namespace capture::tracer
