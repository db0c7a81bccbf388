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
    auto node = static_cast<std::uint32_t>(walk.end);
    for (std::size_t i = walk.count; i-- > leaf;) {
        const std::uint64_t address = thread.walk[i] | (thread.walkIsExact[i] ? wire::kExactAddress : 0);
        const std::uint32_t child = nodes.child(node, address);
        if (child == node)
            return node; // refused: the tree is full, and the stack ends at its deepest known ancestor
        node = child;
    }
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
