// SPDX-License-Identifier: MIT
#pragma once

#include "capture/unwind/unwinder.h"

#include <cstddef>
#include <cstdint>

namespace capture::tracer {

/// A thread's last stack, kept frame by frame, so that the next one costs only the frames that differ from it.
///
/// A frame is the address its pc was read from (`slot`), that pc, and its stack-tree node. A walk from the leaf with call-frame
/// rules goes on until it *lands* on a kept frame: same slot, same pc. What lies above a landing follows from words of memory
/// alone, each at an address that is known: the return addresses, and of frames whose CFA is taken from rbp the word rbp was restored
/// from (or rbp itself at the landing). Those words are compared before the walk begins; where one of them changed, frames
/// below it cannot be landed on. So a kept stack is never trusted, and nothing needs to be told when frames return, throw
/// or jump. Frames that need more than rsp and rbp (signal frames, expressions) are not kept at all.
///
/// One thread's; no heap, no lock. Untouched pages cost nothing, so the room for frames is generous.
class IncrementalStack
{
public:
    static constexpr std::uint32_t kMostFrames = 4095; ///< with its root, what a session takes
    /// capture() says: take the plain walk instead (other stack, unusual rule, too deep).
    static constexpr std::uint32_t kNeedsPlainWalk = 0xffffffff;

    /// Forgets the kept stack: code may have been unmapped, or nodes mean something else.
    void forget()
    {
        m_count = 0;
        __builtin_memset(m_leaves, 0, sizeof m_leaves);
    }

    /// The node of the stack that begins with `caller`, whose pc was read at `caller.sp - 8`; kNeedsPlainWalk if it cannot be said.
    ///
    /// `rules` as for unwind::unwind(); `stack` is the readable part of the thread's stack; `nodes.child(parent, pc)` interns a frame
    /// and returns `parent` where it is refused; `nodes.address(node)` and `nodes.parent(node)` read it. Roots are numbered as unwind::EndState.
    template <typename Rules, typename Nodes>
    [[gnu::always_inline]] inline std::uint32_t capture(
        unwind::NarrowFrame caller, Rules &rules, const unwind::OwnStack &stack, Nodes &nodes);

    /// Frames walked by rules since the last call, for tests and benchmarks.
    std::uint64_t walkedFrames() const { return m_walked; }

private:
    /// A word that must be as it was.
    struct Word
    {
        std::uint64_t address;
        std::uint64_t value;
    };
    /// The same, for a step from the kept frame `depth` to its caller that reads more than a return address.
    struct Check
    {
        Word word;
        std::uint32_t depth;
    };
    struct Kept
    {
        std::uint64_t bp;
        std::uint32_t node;
        bool needsBp; ///< the way from here to the root depends on rbp
    };
    /// A frame that was walked, leaf first.
    struct Walked
    {
        unwind::NarrowFrame frame;
        std::uint64_t bpFrom;  ///< where the step restored rbp from; 0: it did not
        std::uint64_t cfaFrom; ///< where the step read the CFA; 0: it computed it
        bool usesBp;           ///< the step's CFA follows from rbp
        std::uint32_t node;    ///< once it is known
    };
    struct Landing
    {
        std::uint32_t frames = 0; ///< kept frames that are taken over
        std::uint32_t node = 0;
        bool needsBp = false;
        std::uint64_t bp = 0;
    };

    std::uint32_t verified() const;
    bool landsOn(std::uint32_t index, std::uint64_t slot, const unwind::NarrowFrame &frame) const;
    static unwind::StepResult findCaller(
        Walked &walked, unwind::FrameRule rule, const unwind::OwnStack &stack, std::uint64_t &base, std::uint64_t &cfa);
    static bool restoreBp(
        Walked &walked, unwind::FrameRule rule, const unwind::OwnStack &stack, std::uint64_t from, std::uint64_t &bp);
    std::uint64_t alignTo(std::uint64_t slot, std::uint32_t &cursor) const;
    template <typename Nodes>
    std::uint32_t keep(Landing landing, std::uint32_t walked, std::uint64_t hash, Nodes &nodes);
    template <typename Nodes>
    bool findNodes(const Landing &landing, std::uint32_t walked, std::uint32_t leaf, const Nodes &nodes);

    std::uint32_t m_count = 0;  ///< kept frames
    std::uint32_t m_checks = 0; ///< of m_check, by rising depth
    std::uint64_t m_walked = 0;
    /// The leaf's node by a hash of the landing and the pcs walked. Only a guess: the tree itself says whether it is right.
    static constexpr unsigned kLeafBits = 11;
    std::uint32_t m_leaves[std::size_t{1} << kLeafBits];
    Word m_words[kMostFrames]; ///< root first: slot and pc
    Kept m_kept[kMostFrames];
    Check m_check[2 * kMostFrames];
    Walked m_walk[kMostFrames];
};

/// How many kept frames, from the root, may be landed on: their ways to the root read what they read before.
[[gnu::always_inline]] inline std::uint32_t IncrementalStack::verified() const
{
    std::uint32_t limit = 0;
    // The frame whose own word changed is among them: the landing compares its pc.
    while (limit < m_count && *reinterpret_cast<const std::uint64_t *>(m_words[limit].address) == m_words[limit].value)
        ++limit;
    limit += limit < m_count ? 1 : 0;
    for (std::uint32_t i = 0; i < m_checks && m_check[i].depth < limit; ++i)
        if (*reinterpret_cast<const std::uint64_t *>(m_check[i].word.address) != m_check[i].word.value)
            return m_check[i].depth;
    return limit;
}

[[gnu::always_inline]] inline bool IncrementalStack::landsOn(
    std::uint32_t index, std::uint64_t slot, const unwind::NarrowFrame &frame) const
{
    return m_words[index].address == slot && m_words[index].value == frame.pc
        && (!m_kept[index].needsBp || m_kept[index].bp == frame.bp);
}

/// From `frame` to its caller's stack pointer: as unwind::stepNarrow(), but reads neither pc nor rbp.
[[gnu::always_inline]] inline unwind::StepResult IncrementalStack::findCaller(
    Walked &walked, unwind::FrameRule rule, const unwind::OwnStack &stack, std::uint64_t &base, std::uint64_t &cfa)
{
    const unwind::NarrowFrame &frame = walked.frame;
    const bool isFromRsp = rule.isPlainFrom(unwind::reg::kRsp);
    base = isFromRsp ? frame.sp : frame.bp;
    cfa = base + static_cast<std::uint64_t>(rule.cfaOffset());
    walked.cfaFrom = 0;
    walked.usesBp = !isFromRsp;
    if (!isFromRsp && !rule.isPlainFrom(unwind::reg::kRbp)) [[unlikely]] {
        const unwind::StepResult result = unwind::otherCfa(rule);
        walked.usesBp = rule.cfaFromRbp();
        if (result != unwind::StepResult::Stepped)
            return result;
        walked.cfaFrom = cfa;
        if (!stack.read(cfa, cfa))
            return unwind::StepResult::Unreadable;
    }
    return cfa <= frame.sp || rule.isSignalFrame() ? unwind::StepResult::BadRule : unwind::StepResult::Stepped;
}

/// rbp as the caller has it; notes where it was restored from.
[[gnu::always_inline]] inline bool IncrementalStack::restoreBp(
    Walked &walked, unwind::FrameRule rule, const unwind::OwnStack &stack, std::uint64_t from, std::uint64_t &bp)
{
    using unwind::FrameRule;
    const unsigned saved = rule.saved(FrameRule::Rbp);
    walked.bpFrom = 0;
    if (saved - 1 >= FrameRule::kUndefined - 1)
        return true;
    const std::uint64_t slot = from + static_cast<std::uint64_t>(FrameRule::savedOffset(saved));
    walked.bpFrom = slot;
    return stack.read(slot, bp);
}

/// The place of a caller's return address, which should be `slot`. Where the kept stack has a frame at that very place, its own copy of the
/// address is returned: the processor then reads on from there without having to wait for the rule that led to `slot`.
[[gnu::always_inline]] inline std::uint64_t IncrementalStack::alignTo(std::uint64_t slot, std::uint32_t &cursor) const
{
    while (cursor > 0 && m_words[cursor - 1].address < slot)
        --cursor;
    if (cursor == 0)
        return slot;
    std::uint64_t kept = m_words[cursor - 1].address;
    if (kept != slot)
        return slot;
    asm("" : "+r"(kept)); // keeps the compiler from seeing that both are the same
    return kept;
}

template <typename Rules, typename Nodes>
[[gnu::always_inline]] inline std::uint32_t IncrementalStack::capture(
    unwind::NarrowFrame frame, Rules &rules, const unwind::OwnStack &stack, Nodes &nodes)
{
    const std::uint32_t limit = verified();
    std::uint32_t cursor = m_count;
    std::uint32_t walked = 0;
    std::uint64_t hash = 0;
    std::uint64_t slot = alignTo(frame.sp - 8, cursor);
    for (;;) {
        if (cursor - 1 < limit && landsOn(cursor - 1, slot, frame)) {
            const Kept &kept = m_kept[cursor - 1];
            return keep({cursor, kept.node, kept.needsBp, kept.bp}, walked, hash, nodes);
        }
        if (walked == kMostFrames) [[unlikely]]
            return kNeedsPlainWalk;
        hash = ((hash << 7) | (hash >> 57)) ^ frame.pc;
        const unwind::FrameRule rule = rules.rule(frame.pc - 1);
        Walked &step = m_walk[walked++];
        step.frame = {frame.pc, slot + 8, frame.bp};
        std::uint64_t base, cfa;
        unwind::StepResult result = findCaller(step, rule, stack, base, cfa);
        if (result == unwind::StepResult::Stepped) [[likely]] {
            slot = alignTo(cfa - 8, cursor);
            if (!stack.read(slot, frame.pc)
                || !restoreBp(step, rule, stack, rule.savedFromRegister() ? base : slot + 8, frame.bp)) [[unlikely]]
                return kNeedsPlainWalk;
            if (frame.pc != 0) [[likely]]
                continue;
            step.cfaFrom = slot; // a null return address ended it: a word like any other
            result = unwind::StepResult::ReachedStart;
        } else if (result != unwind::StepResult::ReachedStart && result != unwind::StepResult::NoUnwindInfo) {
            return kNeedsPlainWalk;
        }
        return keep({0, static_cast<std::uint32_t>(unwind::endOf(result)), false, 0}, walked, hash, nodes);
    }
}

/// Whether `leaf` is the node of the frames walked above the landing; then each has its own noted. Loads that nothing waits for,
/// where interning each frame would be a chain of look-ups.
template <typename Nodes>
[[gnu::always_inline]] inline bool IncrementalStack::findNodes(
    const Landing &landing, std::uint32_t walked, std::uint32_t leaf, const Nodes &nodes)
{
    std::uint32_t node = leaf;
    for (std::uint32_t i = 0; i < walked; ++i) {
        if (nodes.address(node) != m_walk[i].frame.pc)
            return false;
        m_walk[i].node = node;
        node = nodes.parent(node);
    }
    return node == landing.node;
}

/// Keeps what was walked above the landing, and returns the leaf's node.
template <typename Nodes>
[[gnu::always_inline]] inline std::uint32_t IncrementalStack::keep(
    Landing at, std::uint32_t walked, std::uint64_t hash, Nodes &nodes)
{
    if (walked == 0)
        return m_count = at.frames, at.node;
    if (at.frames + walked > kMostFrames) [[unlikely]]
        return kNeedsPlainWalk;
    std::uint32_t &leaf = m_leaves[((hash ^ (std::uint64_t{at.node} << 20)) * 0x9e3779b97f4a7c15) >> (64 - kLeafBits)];
    const bool isKnown = findNodes(at, walked, leaf, nodes);
    m_count = at.frames;
    m_walked += walked;
    while (m_checks > 0 && m_check[m_checks - 1].depth >= at.frames)
        --m_checks;
    std::uint32_t node = at.node;
    while (walked > 0) {
        const Walked &step = m_walk[--walked];
        const std::uint32_t child = isKnown ? step.node : nodes.child(node, step.frame.pc);
        if (child == node) [[unlikely]]
            return node; // refused: the tree is full, and the stack ends at its deepest known ancestor
        node = child;
        if (step.cfaFrom != 0) [[unlikely]]
            m_check[m_checks++] = {{step.cfaFrom, *reinterpret_cast<const std::uint64_t *>(step.cfaFrom)}, m_count};
        if (at.needsBp && step.bpFrom != 0)
            m_check[m_checks++] = {{step.bpFrom, at.bp}, m_count};
        at.needsBp = step.usesBp || (at.needsBp && step.bpFrom == 0);
        at.bp = step.frame.bp;
        m_words[m_count] = {step.frame.sp - 8, step.frame.pc};
        m_kept[m_count] = {at.bp, node, at.needsBp};
        ++m_count;
    }
    leaf = node;
    return node;
}

} // namespace capture::tracer
