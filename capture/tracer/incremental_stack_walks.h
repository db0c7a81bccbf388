// SPDX-License-Identifier: MIT
#pragma once

#include "capture/tracer/incremental_stack.h"

/// Walks of IncrementalStack through frames of which rbp is part.
namespace capture::tracer {

/// The same where frame pointers lead from frame to frame, as in programs built with them: each function keeps rbp where the standard
/// beginning puts it, or leaves it alone.
template <typename Rules, typename Nodes>
std::uint32_t IncrementalStack::captureByFrames(const unwind::NarrowFrame &caller, const Word *limit,
    RecentWalks::Walk *recent, Rules rules, unwind::OwnStack stack, Nodes nodes)
{
    const std::uint64_t last = stack.high - 8;
    std::uint64_t pc = caller.pc, slot = caller.sp - 8, bp = caller.bp;
    const Word *at = keptAbove(slot);
    Word *walked = m_walk;
    for (FrameRead *read = m_reads; walked != m_walk + kMostFrames; ++read) {
        const std::uint64_t step = rules.packed(pc);
        const bool isStandard = step == FrameStep::standard().packed();
        if (!isStandard && !FrameStep::isSizeAlone(step))
            break;
        const std::uint64_t next = isStandard ? bp + 8 : slot + step;
        if (next < slot + 8 || next > last) [[unlikely]]
            break;
        *walked++ = {slot, pc};
        read->bp = bp;
        read->usesBp = isStandard;
        if (isStandard)
            bp = *reinterpret_cast<const std::uint64_t *>(bp);
        while (at->address < next)
            --at;
        slot = next;
        pc = *reinterpret_cast<const std::uint64_t *>(slot); // 0 has no step either
        if (at >= limit || at->address != slot)
            continue;
        const auto frame = static_cast<std::uint32_t>(at - m_words);
        const auto frames = static_cast<std::uint32_t>(walked - m_walk);
        if ((m_nodes[frame] & kNeedsBp) == 0 || m_checks + frames >= kMostChecks)
            break;
        if (m_bps[frame] == bp)
            return keep({frame, true, bp}, {.frames = frames, .recent = recent, .isByFrames = true}, nodes);
    }
    return captureByAll(caller, limit, recent, rules, stack, nodes);
}

/// The same for any stack, with rbp.
template <typename Rules, typename Nodes>
std::uint32_t IncrementalStack::captureByAll(const unwind::NarrowFrame &caller, const Word *limit,
    RecentWalks::Walk *recent, Rules rules, unwind::OwnStack stack, Nodes nodes)
{
    const std::uint64_t last = stack.high - 8;
    std::uint64_t pc = caller.pc, slot = caller.sp - 8, bp = caller.bp;
    const Word *at = keptAbove(slot);
    Way way{.recent = recent, .isRead = true};
    unwind::Lead lead = unwind::Lead::Rule; // to the pc
    for (;;) {
        if (at < limit && at->address == slot) {
            const auto frame = static_cast<std::uint32_t>(at - m_words);
            if (isRight(frame, bp))
                return keep({frame, (m_nodes[frame] & kNeedsBp) != 0, bp}, way, nodes);
        }
        if (way.frames == kMostFrames) [[unlikely]]
            return kNeedsPlainWalk;
        const FrameStep step = rules.step(pc, lead);
        const std::uint64_t ownBp = bp;
        m_walk[way.frames] = {slot, pc};
        FrameRead &read = m_reads[way.frames++];
        const unwind::StepResult result = step.needsRule() ? read.stepByRule(pc, rules, stack, slot, bp)
            : step.isByFramePointer()                      ? read.stepByFramePointer(last, slot, bp)
                                                           : read.stepBySize(step, last, slot, bp);
        if (lead != unwind::Lead::Rule && step.needsRule() && result == unwind::StepResult::NoUnwindInfo) {
            // No code, so it called nobody: the stack ends below it, and that a word says, like a null return address.
            std::uint64_t &from = m_reads[--way.frames - 1].cfaFrom;
            if (from != 0)
                return kNeedsPlainWalk;
            from = slot;
            return keep(atEnd(result), way, nodes);
        }
        if (step.isByFramePointer())
            lead = unwind::isChained(ownBp, bp) ? unwind::Lead::Guess : unwind::Lead::Break;
        else if (lead == unwind::Lead::Break)
            lead = unwind::Lead::Guess;
        if (result == unwind::StepResult::ReachedStart || result == unwind::StepResult::NoUnwindInfo)
            return keep(atEnd(result), way, nodes);
        if (result != unwind::StepResult::Stepped || slot > last)
            return kNeedsPlainWalk;
        while (at->address < slot)
            --at;
        pc = *reinterpret_cast<const std::uint64_t *>(slot);
        if (pc == 0) [[unlikely]] {
            if (read.cfaFrom != 0)
                return kNeedsPlainWalk;
            read.cfaFrom = slot; // a null return address ended it: a word like any other
            return keep(atEnd(unwind::StepResult::ReachedStart), way, nodes);
        }
    }
}

/// Keeps what the steps read of the `walked` frames, of which those next to the landing are kept: where the way to the root depends on rbp, and on
/// what other words.
inline void IncrementalStack::keepReads(Landing at, std::uint32_t walked)
{
    for (std::uint32_t frame = at.frame + 1; frame < m_end; ++frame) {
        if (m_checks + 2 > kMostChecks) [[unlikely]] {
            m_end = frame; // the rest is not kept, and walked each time
            return;
        }
        const FrameRead &read = m_reads[--walked];
        if (read.cfaFrom != 0) [[unlikely]]
            m_check[m_checks++] = {{read.cfaFrom, *reinterpret_cast<const std::uint64_t *>(read.cfaFrom)}, frame};
        if (at.needsBp && read.bpFrom != 0)
            m_check[m_checks++] = {{read.bpFrom, at.bp}, frame};
        at.needsBp = read.usesBp || (at.needsBp && read.bpFrom == 0);
        at.bp = read.bp;
        if (at.needsBp) {
            m_nodes[frame] |= kNeedsBp;
            m_bps[frame] = at.bp;
        }
    }
}

/// The same of what captureByFrames() walked: where it landed the way depends on rbp, so from all of it.
[[gnu::always_inline]] inline void IncrementalStack::keepFrames(Landing at, std::uint32_t walked)
{
    Check *check = m_check + m_checks;
    const FrameRead *read = m_reads + walked;
    std::uint64_t bp = at.bp;
    for (std::uint32_t frame = at.frame + 1; frame < m_end; ++frame) {
        --read;
        *check = {{read->bp, bp}, frame}; // the standard beginning saves rbp where rbp points to then
        check += read->usesBp;
        bp = read->bp;
        m_bps[frame] = bp;
        m_nodes[frame] |= kNeedsBp;
    }
    m_checks = static_cast<std::uint32_t>(check - m_check);
}

} // namespace capture::tracer
