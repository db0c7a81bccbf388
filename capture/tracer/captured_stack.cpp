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

/// Whether the stack that was just walked from `slot` on, below the `known` end of the thread's own, is that one: its frames lead there. Where they
/// lead nowhere, as code without tables does not say who called it, what is near is taken for it.
bool isOnOwnStack(const ThreadState &thread, std::uint64_t known, std::uint64_t slot, bool isWalked)
{
    constexpr std::uint64_t kMost = KnownStack::kMostFrameBytes;
    const bool isNear = known - slot <= kMost;
    if (!isWalked)
        return isNear;
    const IncrementalStack::Crossing crossing = thread.last.crossing(known);
    // Nothing known yet: the first frame stands where the stack begins, below the thread's variables.
    const bool isFirst = known == thread.stack.high;
    const bool hasAbove = isFirst || crossing.above != ~std::uint64_t{0};
    const std::uint64_t above = isFirst ? known : crossing.above;
    if (hasAbove && (crossing.below == 0 || above - crossing.below <= kMost))
        return true;
    return isNear && !hasAbove && !thread.last.isWhole();
}

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

std::uint32_t captureBeyond(ThreadState &thread, const unwind::NarrowFrame &caller)
{
    KnownStack &stack = thread.stack;
    const std::uint64_t known = stack.low, slot = caller.sp - 8;
    if (!stack.extendTo(slot))
        return capturePlainly(thread);
    const std::uint32_t node = thread.last.capture(caller, RulesOf{thread}, {stack.low, stack.high}, NodesOf{thread});
    const bool isWalked = node != IncrementalStack::kNeedsPlainWalk;
    if (!stack.isProcessStack && !isOnOwnStack(thread, known, slot, isWalked)) {
        const std::uint64_t below = isWalked ? thread.last.crossing(known).below : 0;
        stack.takeBack(known, (below != 0 ? below : slot) + 8);
        thread.last.forget(); // its frames are on a stack that may go
    }
    return isWalked ? node : capturePlainly(thread);
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
