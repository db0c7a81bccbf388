// SPDX-License-Identifier: MIT
#pragma once

#include "capture/tracer/frame_step.h"
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
/// One thread's; no heap, no lock. Untouched pages cost nothing, so the room for frames is generous. forget() before the first use.
class IncrementalStack
{
public:
    static constexpr std::uint32_t kMostFrames = 4095; ///< with its root, what a session takes
    /// capture() says: take the plain walk instead (other stack, unusual rule, too deep).
    static constexpr std::uint32_t kNeedsPlainWalk = 0xffffffff;

    /// Forgets the kept stack: code may have been unmapped, or nodes mean something else.
    void forget()
    {
        m_end = kFirst;
        m_checks = 0;
        for (std::uint32_t i = 0; i < kFirst; ++i)
            m_words[i] = {kNoSlot, 0};
        __builtin_memset(m_leaves, 0, sizeof m_leaves);
    }

    /// The node of the stack that begins with `caller`, whose pc was read at `caller.sp - 8`; kNeedsPlainWalk if it cannot be said.
    ///
    /// `rules.step(returnAddress)` gives the FrameStep of a frame and `rules.rule(pc)` its rule; `stack` is the readable part of the thread's
    /// stack; `nodes.child(parent, pc)` interns a frame and returns `parent` where it is refused; `nodes.address(node)` and
    /// `nodes.parent(node)` read it. Roots are numbered as unwind::EndState.
    template <typename Rules, typename Nodes>
    [[gnu::always_inline]] inline std::uint32_t capture(
        const unwind::NarrowFrame &caller, Rules &rules, const unwind::OwnStack &stack, Nodes &nodes);

    /// Frames walked by rules since the last call, for tests and benchmarks.
    std::uint64_t walkedFrames() const { return m_walked; }

private:
    /// Kept frames stand from here on; before them are two that lie above every stack, so that a search for a slot always ends.
    static constexpr std::uint32_t kFirst = 2;
    static constexpr std::uint64_t kNoSlot = ~std::uint64_t{0};

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
        std::uint64_t bp; ///< where it is needed
        std::uint32_t node;
        bool needsBp; ///< the way from here to the root depends on rbp
    };
    /// A frame that was walked, leaf first.
    struct Walked
    {
        Word word;             ///< its slot and pc
        std::uint64_t bpFrom;  ///< where the step restored rbp from; 0: it did not
        std::uint64_t cfaFrom; ///< where the step read the CFA; 0: it computed it
        std::uint64_t bp;
        bool usesBp; ///< the step's CFA follows from rbp
    };
    /// What lies above the frames that were walked.
    struct Landing
    {
        std::uint32_t frame; ///< the kept frame; kFirst - 1: none, but the end of the stack
        std::uint32_t node;
        bool needsBp;
        std::uint64_t bp;
    };
    static Landing atEnd(unwind::StepResult result)
    {
        return {kFirst - 1, static_cast<std::uint32_t>(unwind::endOf(result)), false, 0};
    }
    /// How a walk came to its landing.
    struct Way
    {
        Walked *end;                ///< behind the last frame of m_walk
        std::uint64_t hash = 0;     ///< of the pcs
        bool isFromRspAlone = true; ///< no step depends on anything but its pc
    };

    const Word *verified() const;
    template <typename Rules>
    [[gnu::noinline]] static unwind::StepResult stepByRule(
        Walked &walked, Rules &rules, const unwind::OwnStack &stack, std::uint64_t &slot, std::uint64_t &bp);
    static unwind::StepResult stepByRbp(
        Walked &walked, const FrameStep &step, const unwind::OwnStack &stack, std::uint64_t &slot, std::uint64_t &bp);
    template <typename Nodes> std::uint32_t keep(const Landing &at, const Way &way, Nodes &nodes);
    template <typename Nodes> bool keepKnown(const Landing &at, std::uint32_t leaf, const Nodes &nodes);
    template <typename Nodes> [[gnu::noinline]] std::uint32_t keepAnew(Landing at, std::uint32_t walked, Nodes &nodes);

    std::uint32_t m_end = kFirst; ///< behind the last kept frame
    std::uint32_t m_checks = 0;   ///< of m_check, by rising depth
    std::uint64_t m_walked = 0;
    /// The leaf's node, and above it more bits of the hash, by a hash of the landing and the pcs walked. Only a guess: the tree itself says
    /// whether it is right.
    static constexpr unsigned kLeafBits = 11, kNodeBits = 24;
    static constexpr std::uint32_t kNodeMask = (std::uint32_t{1} << kNodeBits) - 1;
    std::uint32_t m_leaves[std::size_t{1} << kLeafBits];
    Word m_words[kFirst + kMostFrames]; ///< root first: slot and pc
    Kept m_kept[kFirst + kMostFrames];
    Check m_check[2 * kMostFrames];
    Walked m_walk[kMostFrames];
};

/// Behind the last kept frame, from the root, that may be landed on: their ways to the root read what they read before.
[[gnu::always_inline]] inline const IncrementalStack::Word *IncrementalStack::verified() const
{
    const auto differs
        = [](const Word &word) { return *reinterpret_cast<const std::uint64_t *>(word.address) ^ word.value; };
    const Word *word = m_words + kFirst, *const end = m_words + m_end;
    const Word *const fours = word + ((m_end - kFirst) & ~std::uint32_t{3});
    while (word != fours && (differs(word[0]) | differs(word[1]) | differs(word[2]) | differs(word[3])) == 0)
        word += 4;
    while (word != end && differs(*word) == 0)
        ++word;
    // The frame whose own word changed is among them: the landing compares its pc.
    const Word *const limit = word != end ? word + 1 : end;
    for (std::uint32_t i = 0; i < m_checks && m_words + m_check[i].depth < limit; ++i)
        if (differs(m_check[i].word) != 0)
            return m_words + m_check[i].depth;
    return limit;
}

/// One step by a rule that is no FrameStep, or why there is none.
template <typename Rules>
unwind::StepResult IncrementalStack::stepByRule(
    Walked &walked, Rules &rules, const unwind::OwnStack &stack, std::uint64_t &slot, std::uint64_t &bp)
{
    using unwind::FrameRule;
    using unwind::StepResult;
    const FrameRule rule = rules.rule(unwind::lookupAddress(walked.word.value, false));
    const bool isFromRsp = rule.isPlainFrom(unwind::reg::kRsp);
    const std::uint64_t base = isFromRsp ? slot + 8 : bp;
    std::uint64_t cfa = base + static_cast<std::uint64_t>(rule.cfaOffset());
    if (!isFromRsp && !rule.isPlainFrom(unwind::reg::kRbp)) {
        const StepResult result = unwind::otherCfa(rule);
        if (result != StepResult::Stepped)
            return result;
        walked.cfaFrom = cfa;
        if (!stack.read(cfa, cfa))
            return StepResult::Unreadable;
    }
    walked.usesBp = !isFromRsp && (rule.isPlainFrom(unwind::reg::kRbp) || rule.cfaFromRbp());
    if (cfa <= slot + 8 || rule.isSignalFrame())
        return StepResult::BadRule;
    const unsigned saved = rule.saved(FrameRule::Rbp);
    if (saved != FrameRule::kSame && saved != FrameRule::kUndefined) {
        const std::uint64_t from = rule.savedFromRegister() ? base : cfa;
        walked.bpFrom = from + static_cast<std::uint64_t>(FrameRule::savedOffset(saved));
        if (!stack.read(walked.bpFrom, bp))
            return StepResult::Unreadable;
    }
    slot = cfa - 8;
    return StepResult::Stepped;
}

/// One step of the kinds that change rbp or start from it.
[[gnu::always_inline]] inline unwind::StepResult IncrementalStack::stepByRbp(
    Walked &walked, const FrameStep &step, const unwind::OwnStack &stack, std::uint64_t &slot, std::uint64_t &bp)
{
    walked.usesBp = step.kind == FrameStep::Kind::FromRbp;
    const std::uint64_t next = (walked.usesBp ? bp : slot) + static_cast<std::uint64_t>(std::int64_t{step.size});
    if (next <= slot)
        return unwind::StepResult::BadRule;
    slot = next;
    if (step.rbpFrom == 0)
        return unwind::StepResult::Stepped;
    walked.bpFrom = next + static_cast<std::uint64_t>(std::int64_t{step.rbpFrom});
    return stack.read(walked.bpFrom, bp) ? unwind::StepResult::Stepped : unwind::StepResult::Unreadable;
}

template <typename Rules, typename Nodes>
[[gnu::always_inline]] inline std::uint32_t IncrementalStack::capture(
    const unwind::NarrowFrame &caller, Rules &rules, const unwind::OwnStack &stack, Nodes &nodes)
{
    const Word *const limit = verified();
    const Word *at = m_words + m_end - 1;
    const std::uint64_t last = stack.high - 8;
    std::uint64_t pc = caller.pc, slot = caller.sp - 8, bp = caller.bp;
    while (at->address < slot)
        --at;
    Way way{m_walk};
    for (;;) {
        if (at->address == slot && at->value == pc && at < limit) {
            const auto frame = static_cast<std::uint32_t>(at - m_words);
            const Kept &kept = m_kept[frame];
            if (!kept.needsBp || kept.bp == bp)
                return keep({frame, kept.node, kept.needsBp, kept.bp}, way, nodes);
        }
        if (way.end == m_walk + kMostFrames) [[unlikely]]
            return kNeedsPlainWalk;
        const FrameStep &step = rules.step(pc);
        way.hash = ((way.hash << 7) | (way.hash >> 57)) ^ pc;
        Walked &walked = *way.end++;
        walked = {{slot, pc}, 0, 0, bp, false};
        std::uint64_t next = slot + static_cast<std::uint64_t>(std::int64_t{step.size});
        if (step.kind != FrameStep::Kind::FromRsp) [[unlikely]] {
            next = slot;
            const unwind::StepResult result = step.kind == FrameStep::Kind::Other
                ? stepByRule(walked, rules, stack, next, bp)
                : stepByRbp(walked, step, stack, next, bp);
            way.isFromRspAlone = way.isFromRspAlone && !walked.usesBp && walked.cfaFrom == 0;
            if (result == unwind::StepResult::ReachedStart || result == unwind::StepResult::NoUnwindInfo)
                return keep(atEnd(result), way, nodes);
            if (result != unwind::StepResult::Stepped)
                return kNeedsPlainWalk;
        }
        if (next > last) [[unlikely]]
            return kNeedsPlainWalk;
        // Where the kept stack has a frame at that very place, its own copy of the address is read from: the processor need not wait
        // for the rule that led there.
        if (at[-1].address == next) [[likely]] {
            next = (--at)->address;
            asm("" : "+r"(next)); // keeps the compiler from seeing that both are the same
        } else {
            while (at->address < next)
                --at;
        }
        slot = next;
        pc = *reinterpret_cast<const std::uint64_t *>(slot);
        if (pc == 0) [[unlikely]] {
            walked.cfaFrom = slot; // a null return address ended it: a word like any other
            way.isFromRspAlone = false;
            return keep(atEnd(unwind::StepResult::ReachedStart), way, nodes);
        }
    }
}

/// Keeps what was walked above the landing, and returns the leaf's node.
template <typename Nodes>
[[gnu::always_inline]] inline std::uint32_t IncrementalStack::keep(const Landing &at, const Way &way, Nodes &nodes)
{
    if (way.end == m_walk)
        return m_end = at.frame + 1, at.node;
    const auto walked = static_cast<std::uint32_t>(way.end - m_walk);
    if (at.frame - kFirst + 1 + walked > kMostFrames) [[unlikely]]
        return kNeedsPlainWalk;
    m_walked += walked;
    while (m_checks > 0 && m_check[m_checks - 1].depth > at.frame)
        --m_checks;
    const std::uint64_t hash = (way.hash ^ (std::uint64_t{at.node} << 20)) * 0x9e3779b97f4a7c15;
    std::uint32_t &leaf = m_leaves[hash >> (64 - kLeafBits)];
    const auto tag = static_cast<std::uint32_t>(hash >> kNodeBits) & ~kNodeMask;
    const std::uint32_t guess = leaf ^ tag;
    m_end = at.frame + walked + 1;
    // Where the hash says that it is another stack's, its nodes need not be touched.
    if (guess <= kNodeMask && way.isFromRspAlone && !at.needsBp && keepKnown(at, guess, nodes)) [[likely]]
        return guess;
    const std::uint32_t node = keepAnew(at, walked, nodes);
    leaf = node | tag;
    return node;
}

/// The same where `leaf` is the node of the frames walked, and nothing but pcs has to be kept; else false. Loads that nothing waits for,
/// where interning each frame would be a chain of look-ups.
template <typename Nodes>
[[gnu::always_inline]] inline bool IncrementalStack::keepKnown(
    const Landing &at, std::uint32_t leaf, const Nodes &nodes)
{
    std::uint32_t node = leaf, frame = m_end;
    for (const Walked *walked = m_walk; --frame > at.frame; ++walked) {
        if (nodes.address(node) != walked->word.value)
            return false;
        m_words[frame] = walked->word;
        m_kept[frame].node = node;
        m_kept[frame].needsBp = false;
        node = nodes.parent(node);
    }
    return node == at.node;
}

template <typename Nodes> std::uint32_t IncrementalStack::keepAnew(Landing at, std::uint32_t walked, Nodes &nodes)
{
    m_end = at.frame + 1;
    while (walked > 0) {
        const Walked &step = m_walk[--walked];
        const std::uint32_t child = nodes.child(at.node, step.word.value);
        if (child == at.node) [[unlikely]]
            return at.node; // refused: the tree is full, and the stack ends at its deepest known ancestor
        at.node = child;
        if (step.cfaFrom != 0) [[unlikely]]
            m_check[m_checks++] = {{step.cfaFrom, *reinterpret_cast<const std::uint64_t *>(step.cfaFrom)}, m_end};
        if (at.needsBp && step.bpFrom != 0)
            m_check[m_checks++] = {{step.bpFrom, at.bp}, m_end};
        at.needsBp = step.usesBp || (at.needsBp && step.bpFrom == 0);
        at.bp = step.bp;
        m_words[m_end] = step.word;
        m_kept[m_end] = {at.bp, at.node, at.needsBp};
        ++m_end;
    }
    return at.node;
}

} // namespace capture::tracer
