// SPDX-License-Identifier: MIT
#pragma once

#include "capture/tracer/frame_step.h"
#include "capture/unwind/unwinder.h"

#include <cstdint>

namespace capture::tracer {

/// What the step from a frame to its caller read beside its slot and pc, as IncrementalStack walks it. `slot` and `rbp` of a step are the frame's, and
/// become its caller's.
struct FrameRead
{
    std::uint64_t bpFrom;  ///< where it restored rbp from; 0: it did not
    std::uint64_t cfaFrom; ///< where it read the CFA; 0: it computed it
    std::uint64_t bp;      ///< rbp in the frame
    bool usesBp;           ///< its CFA follows from rbp

    /// One step by a rule that is no FrameStep, or why there is none. `rules.rule(pc)` gives it.
    template <typename Rules>
    [[gnu::noinline]] unwind::StepResult stepByRule(
        std::uint64_t pc, Rules rules, unwind::OwnStack stack, std::uint64_t &slot, std::uint64_t &rbp)
    {
        using unwind::FrameRule;
        using unwind::StepResult;
        *this = {0, 0, rbp, false};
        const FrameRule rule = rules.rule(unwind::lookupAddress(pc, false));
        const bool isFromRsp = rule.isPlainFrom(unwind::reg::kRsp);
        const std::uint64_t base = isFromRsp ? slot + 8 : rbp;
        std::uint64_t cfa = base + static_cast<std::uint64_t>(rule.cfaOffset());
        if (!isFromRsp && !rule.isPlainFrom(unwind::reg::kRbp)) {
            const StepResult result = unwind::otherCfa(rule);
            if (result != StepResult::Stepped)
                return result;
            cfaFrom = cfa;
            if (!stack.read(cfa, cfa))
                return StepResult::Unreadable;
        }
        usesBp = !isFromRsp && (rule.isPlainFrom(unwind::reg::kRbp) || rule.cfaFromRbp());
        if (cfa <= slot + 8 || rule.isSignalFrame())
            return StepResult::BadRule;
        const unsigned saved = rule.saved(FrameRule::Rbp);
        if (saved != FrameRule::kSame && saved != FrameRule::kUndefined) {
            const std::uint64_t from = rule.savedFromRegister() ? base : cfa;
            bpFrom = from + static_cast<std::uint64_t>(FrameRule::savedOffset(saved));
            if (!stack.read(bpFrom, rbp))
                return StepResult::Unreadable;
        }
        slot = cfa - 8;
        return StepResult::Stepped;
    }

    /// One step by a guess, up to `last` likewise: NoUnwindInfo where rbp cannot be a frame pointer.
    unwind::StepResult stepByFramePointer(std::uint64_t last, std::uint64_t &slot, std::uint64_t &rbp)
    {
        *this = {0, 0, rbp, true}; // whether it can be depends on it as well
        unwind::NarrowFrame frame{0, slot + 8, rbp};
        const unwind::OwnStack stack{slot, last + 8};
        if (unwind::stepByFramePointer(frame, stack) == unwind::StepResult::NoUnwindInfo)
            return unwind::StepResult::NoUnwindInfo;
        bpFrom = rbp;
        slot = frame.sp - 8;
        rbp = frame.bp;
        return unwind::StepResult::Stepped;
    }

    /// One step of a kind that needs no rule; up to `last` the stack is readable.
    [[gnu::always_inline]] unwind::StepResult stepBySize(
        FrameStep step, std::uint64_t last, std::uint64_t &slot, std::uint64_t &rbp)
    {
        const bool isFromRbp = step.isFromRbp();
        const std::uint64_t next
            = isFromRbp ? rbp + static_cast<std::uint64_t>(std::int64_t{step.fromRbp}) : slot + step.fromRsp;
        if (next <= slot || next > last)
            return unwind::StepResult::BadRule;
        std::uint64_t savedAt = 0;
        if (step.rbpFrom != 0) {
            savedAt = next + static_cast<std::uint64_t>(std::int64_t{step.rbpFrom});
            if (savedAt < slot)
                return unwind::StepResult::BadRule;
        }
        *this = {savedAt, 0, rbp, isFromRbp};
        slot = next;
        if (savedAt != 0)
            rbp = *reinterpret_cast<const std::uint64_t *>(savedAt);
        return unwind::StepResult::Stepped;
    }
};

} // namespace capture::tracer
