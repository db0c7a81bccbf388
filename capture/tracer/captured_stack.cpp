// SPDX-License-Identifier: MIT
#include "capture/tracer/captured_stack.h"

#include "capture/unwind/unwinder.h"

namespace capture::tracer {

namespace {

/// The rules of the process, where a return address may also be one into code that they do not cover.
struct PlainRules : unwind::LocalRules
{
    explicit PlainRules(ThreadState &ofThread)
        : LocalRules(g_tracing.rules, g_tracing.findObject)
        , thread(ofThread)
    {
    }
    /// By the thread's cache, which knows what was asked before.
    bool isCode(std::uint64_t returnAddress, unwind::Lead lead)
    {
        return !RulesOf{thread}.step(returnAddress, lead).needsRule()
            || rule(unwind::lookupAddress(returnAddress, false)).kind() != unwind::RuleKind::NoInfo;
    }
    ThreadState &thread;
};

} // namespace

std::uint32_t capturePlainly(ThreadState &thread)
{
    Tracing &tracing = g_tracing;
    PlainRules rules(thread);
    const StackMemory memory(thread.stack);
    std::uint64_t *const addresses = thread.last.plainWalk();
    const unwind::StackWalk walk = unwind::unwind(
        unwind::Registers::here(), rules, memory, addresses, IncrementalStack::kMostFrames, thread.walkIsExact);
    const NodesOf nodes{thread};
    std::size_t leaf = 0;
    while (leaf < walk.count && tracing.isOwnCode(addresses[leaf]))
        ++leaf;
    const auto addressOf
        = [&](std::size_t i) { return addresses[i] | (thread.walkIsExact[i] ? wire::kExactAddress : 0); };
    const auto root = static_cast<std::uint32_t>(walk.end);
    const std::uint64_t rootHash = PathHash::ofRoot(root);
    std::uint64_t hash = rootHash;
    for (std::size_t i = walk.count; i-- > leaf;)
        hash = PathHash::extended(hash, addressOf(i));
    if (const std::uint32_t known = nodes.leaf(hash); known != 0)
        return known;
    std::uint32_t node = root;
    hash = rootHash;
    for (std::size_t i = walk.count; i-- > leaf;) {
        hash = PathHash::extended(hash, addressOf(i));
        std::uint32_t child = nodes.find(
            hash, [&](std::uint32_t each) { return nodes.parent(each) == node && nodes.isOf(each, addressOf(i)); });
        if (child == 0)
            child = nodes.add(node, addressOf(i), hash);
        if (child == node)
            return node; // refused: the tree is full, and the stack ends at its deepest known ancestor
        node = child;
    }
    nodes.setLeaf(hash, node);
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
