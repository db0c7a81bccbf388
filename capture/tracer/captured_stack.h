// SPDX-License-Identifier: MIT
#pragma once

#include "capture/tracer/tracing.h"
#include "capture/unwind/local_rules.h"

/// The stack that an event is recorded with.
namespace capture::tracer {

/// The node of the calling thread's stack as `caller` sees it: the frame that called the hook.
std::uint32_t captureStack(ThreadState &thread, const unwind::NarrowFrame &caller);

/// The rules of the process, behind a thread's own cache of steps.
struct RulesOf
{
    ThreadState &thread;
    FrameStep step(std::uint64_t returnAddress, unwind::Lead lead) const
    {
        return thread.steps.step(g_tracing.rules, g_tracing.findObject, returnAddress, lead);
    }
    std::uint64_t fromRsp(std::uint64_t returnAddress) const
    {
        return thread.steps.fromRsp(g_tracing.rules, g_tracing.findObject, returnAddress);
    }
    std::uint64_t packed(std::uint64_t returnAddress) const { return thread.steps.packed(returnAddress); }
    unwind::FrameRule rule(std::uint64_t pc) const
    {
        return unwind::LocalRules(g_tracing.rules, g_tracing.findObject).rule(pc);
    }
};

/// The nodes of the process.
struct NodesOf
{
    ThreadState &thread;
    std::uint32_t leaf(std::uint64_t pathHash) const { return g_tracing.leaves.find(pathHash, thread.generation); }
    void setLeaf(std::uint64_t pathHash, std::uint32_t node) const
    {
        g_tracing.leaves.set(pathHash, thread.generation, node);
    }
    template <typename IsIt> std::uint32_t find(std::uint64_t pathHash, IsIt isIt) const
    {
        return g_tracing.tree.find(pathHash, isIt);
    }
    void prefetch(std::uint64_t pathHash) const { g_tracing.tree.prefetch(pathHash); }
    std::uint32_t add(std::uint32_t parent, std::uint64_t address, std::uint64_t pathHash) const
    {
        return g_tracing.tree.add(parent, address, moduleOf(address), pathHash);
    }
    /// Whether a node is one of this frame, whoever called it.
    bool isOf(std::uint32_t node, std::uint64_t address) const
    {
        return g_tracing.tree.address(node) == address && g_tracing.tree.module(node) == moduleOf(address);
    }
    std::uint32_t parent(std::uint32_t node) const { return g_tracing.tree.parent(node); }

private:
    std::uint32_t moduleOf(std::uint64_t address) const { return thread.modules.moduleOf(g_tracing.modules, address); }
};

/// The same where the stack is unusual: from signal handlers, coroutines, and through frames that need more than rsp and rbp. Walks with all
/// registers, asking the kernel about memory beyond the known stack. Frames of the tracer itself, which it begins in, are left out.
std::uint32_t capturePlainly(ThreadState &thread);

/// The same where the stack pointer lies below what is known of the thread's stack: finds out whether it is on that stack still.
std::uint32_t captureBeyond(ThreadState &thread, const unwind::NarrowFrame &caller);

/// Modules came or went: nothing that the thread knows of stacks holds any longer.
void forgetStack(ThreadState &thread, std::uint64_t generation);

/// captureStack() for the one place that is in each allocation's way.
[[gnu::always_inline]] inline std::uint32_t captureStackInline(ThreadState &thread, const unwind::NarrowFrame &caller)
{
    const Tracing &tracing = g_tracing;
    const std::uint64_t generation = tracing.generation.load(std::memory_order_acquire);
    if (thread.generation != generation) [[unlikely]]
        forgetStack(thread, generation);
    if (caller.sp - 8 < thread.stack.low) [[unlikely]]
        return captureBeyond(thread, caller);
    if (!thread.stack.holds(caller.sp - 8)) [[unlikely]]
        return capturePlainly(thread);
    const std::uint32_t node
        = thread.last.capture(caller, RulesOf{thread}, {thread.stack.low, thread.stack.high}, NodesOf{thread});
    return node != IncrementalStack::kNeedsPlainWalk ? node : capturePlainly(thread);
}

} // namespace capture::tracer
