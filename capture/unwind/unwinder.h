// SPDX-License-Identifier: MIT
#pragma once

#include "capture/unwind/cfi_row.h"
#include "capture/unwind/frame_rule.h"
#include "capture/unwind/registers.h"

#include <cstddef>
#include <cstdint>

namespace capture::unwind {

/// Why a stack ends where it ends. Stored with every stack, so the numbers are part of the formats.
enum class EndState : std::uint8_t {
    ReachedStart = 0, ///< whole: the thread's first function
    Truncated = 1,    ///< more frames than there was room for
    NoUnwindInfo = 2, ///< code without call-frame information
    BadRule = 3,      ///< information that is damaged, unknown, or leads nowhere (the CFA does not rise)
    Unreadable = 4,   ///< a word needed lies outside the stack (or its copy)
};

/// The outcome of one step.
enum class StepResult : std::uint8_t {
    Stepped, ///< the registers are the caller's now
    ReachedStart,
    NoUnwindInfo,
    BadRule,
    Unreadable,
    NeedsMore, ///< stepNarrow() only: the rule needs registers or a row that it does not have; nothing was changed
};

/// The words of [low, high) of this process: a thread's own stack.
struct OwnStack
{
    std::uint64_t low = 0, high = 0;
    bool read(std::uint64_t address, std::uint64_t &value) const
    {
        if (address < low || high - low < 8 || address > high - 8)
            return false;
        __builtin_memcpy(&value, reinterpret_cast<const void *>(address), 8);
        return true;
    }
};

/// A stack copied to `data`, whose first byte lay at `address`.
struct CopiedStack
{
    const std::uint8_t *data = nullptr;
    std::size_t size = 0;
    std::uint64_t address = 0;
    bool read(std::uint64_t from, std::uint64_t &value) const
    {
        if (from < address || size < 8 || from - address > size - 8)
            return false;
        __builtin_memcpy(&value, data + (from - address), 8);
        return true;
    }
};

/// Any memory reader behind one type, for code that is not a template. Does not own `self`.
struct MemoryView
{
    bool (*read8)(const void *self, std::uint64_t address, std::uint64_t &value) = nullptr;
    const void *self = nullptr;
    bool read(std::uint64_t address, std::uint64_t &value) const { return read8(self, address, value); }

    template <typename Memory> static MemoryView of(const Memory &memory)
    {
        return {[](const void *self, std::uint64_t address, std::uint64_t &value) {
                    return static_cast<const Memory *>(self)->read(address, value);
                },
            &memory};
    }
};

/// What nearly every step needs: a frame's pc, stack pointer and rbp.
struct NarrowFrame
{
    std::uint64_t pc = 0, sp = 0, bp = 0;
};

/// For a rule that is not `Register` over rsp or rbp: why it ends the stack, NeedsMore, or Stepped where its CFA is the
/// word at rbp + offset.
constexpr StepResult otherCfa(FrameRule rule)
{
    switch (rule.kind()) {
    case RuleKind::MemoryAtRegister:
        return rule.cfaRegister() == reg::kRbp ? StepResult::Stepped : StepResult::NeedsMore;
    case RuleKind::EndOfStack:
        return StepResult::ReachedStart;
    case RuleKind::NoInfo:
        return StepResult::NoUnwindInfo;
    case RuleKind::Bad:
        return StepResult::BadRule;
    default:
        return StepResult::NeedsMore;
    }
}

/// From a frame to its caller by a rule that needs rsp and rbp only: a few nanoseconds.
/// Afterwards `frame.sp` is the CFA of the frame left, so the slot of its return address was at `frame.sp - 8`.
/// An rbp that the rule calls undefined keeps its value (nobody can use it, and to track it would cost).
/// NeedsMore where it is not such a rule: take step() from the start, with all registers.
template <typename Memory>
[[gnu::always_inline]] inline StepResult stepNarrow(NarrowFrame &frame, FrameRule rule, const Memory &memory)
{
    const bool isFromRsp = rule.isPlainFrom(reg::kRsp);
    const std::uint64_t base = isFromRsp ? frame.sp : frame.bp;
    std::uint64_t cfa = base + static_cast<std::uint64_t>(rule.cfaOffset());
    if (!isFromRsp && !rule.isPlainFrom(reg::kRbp)) [[unlikely]] {
        const StepResult result = otherCfa(rule);
        if (result != StepResult::Stepped)
            return result;
        if (!memory.read(cfa, cfa))
            return StepResult::Unreadable;
    }
    std::uint64_t pc;
    if (cfa <= frame.sp) [[unlikely]]
        return StepResult::BadRule;
    if (!memory.read(cfa - 8, pc)) [[unlikely]]
        return StepResult::Unreadable;
    const unsigned saved = rule.saved(FrameRule::Rbp);
    if (saved - 1 < FrameRule::kUndefined - 1) {
        const std::uint64_t from = rule.savedFromRegister() ? base : cfa;
        const std::uint64_t slot = from + static_cast<std::uint64_t>(FrameRule::savedOffset(saved));
        // In an epilogue the rule still names slots that are popped already: the register holds its value again.
        if (!memory.read(slot, frame.bp) && slot >= frame.sp) [[unlikely]]
            return StepResult::Unreadable;
    }
    frame.sp = cfa;
    frame.pc = pc;
    return pc == 0 ? StepResult::ReachedStart : StepResult::Stepped;
}

/// No frame is taken to be larger where that is a guess.
inline constexpr std::uint64_t kMostGuessedBytes = 100'000;

/// Whether a frame pointer and the one that was saved there are links of a chain: the caller's lies above, on the same stack.
constexpr bool isChained(std::uint64_t bp, std::uint64_t callersBp)
{
    return callersBp > bp && callersBp - bp <= kMostGuessedBytes && callersBp % 8 == 0;
}

/// How a pc was come to, for who has to say whether it is code.
enum class Lead : std::uint8_t {
    Rule,  ///< by rules alone
    Guess, ///< a frame pointer was followed before, and its chain goes on
    Break, ///< it was followed just now, and its chain does not go on
};

/// From a frame that no rule covers to its caller, taking rbp for its frame pointer: code that is generated at run time keeps one, as a rule.
/// NoUnwindInfo, with nothing changed, where rbp cannot be that. Whether the caller's pc is one, who calls this has to see.
template <typename Memory> inline StepResult stepByFramePointer(NarrowFrame &frame, const Memory &memory)
{
    std::uint64_t pc, bp;
    if (frame.bp % 8 != 0 || frame.bp < frame.sp || frame.bp - frame.sp > kMostGuessedBytes
        || !memory.read(frame.bp, bp) || !memory.read(frame.bp + 8, pc))
        return StepResult::NoUnwindInfo;
    frame = {pc, frame.bp + 16, bp};
    return pc == 0 ? StepResult::ReachedStart : StepResult::Stepped;
}

/// From a frame to its caller by a compact rule, all registers kept that are known. Not for RuleKind::Complex.
StepResult step(Registers &registers, FrameRule rule, const MemoryView &memory);

/// From a frame to its caller by a complete row, whose expressions stand in `section`.
StepResult step(Registers &registers, const CfiRow &row, const Section &section, const MemoryView &memory);

/// The address at which to look up the rule (and the symbol) of a frame: exact for the leaf and for a frame that was
/// interrupted by a signal; inside the call, one byte before the return address, for all others.
inline std::uint64_t lookupAddress(std::uint64_t pc, bool isExact) { return isExact ? pc : pc - 1; }

/// Pcs of a stack, leaf first, as far as it could be followed.
struct StackWalk
{
    std::size_t count = 0;
    EndState end = EndState::BadRule;
};

/// Walks the stack from `start` and stores the frames' pcs, leaf first: return addresses as they are, not minus one.
///
/// `rules` has `FrameRule rule(std::uint64_t pc)` and `bool row(std::uint64_t pc, CfiRow &, Section &)`, the latter for
/// complex rules; `memory` has `bool read(std::uint64_t address, std::uint64_t &value) const`. `exact`, if not
/// null, gets one bool per frame: whether the pc is exact (leaf, or interrupted by a signal).
/// The common case touches rsp and rbp only; the first rule that needs another register starts it over with all.
/// Where `rules` has `bool isCode(std::uint64_t returnAddress, Lead)`, calls out of code that no rule covers are followed by stepByFramePointer(); what comes
/// after such a guess has to be code, else the stack ends there without unwind information.
template <typename Rules, typename Memory>
StackWalk unwind(const Registers &start, Rules &rules, const Memory &memory, std::uint64_t *pcs, std::size_t capacity,
    bool *exact = nullptr);

/// As unwind(), with all registers from the first step on: the slow road, and the reference for the fast one.
template <typename Rules>
StackWalk unwindFull(Registers registers, Rules &rules, const MemoryView &memory, std::uint64_t *pcs,
    std::size_t capacity, bool *exact = nullptr);

/// The end of a stack whose last step did not succeed.
constexpr EndState endOf(StepResult result)
{
    switch (result) {
    case StepResult::ReachedStart:
        return EndState::ReachedStart;
    case StepResult::NoUnwindInfo:
        return EndState::NoUnwindInfo;
    case StepResult::Unreadable:
        return EndState::Unreadable;
    default:
        return EndState::BadRule;
    }
}

template <typename Rules>
concept GuessesCallers = requires(Rules rules)
{
    rules.isCode(std::uint64_t{0}, Lead::Rule);
};

/// The guess of unwind(), from a frame that was called. Of the registers that a function leaves as they are nothing is known then, but rbp.
template <typename Rules>
StepResult guessCaller(Registers &registers, Rules &rules, const MemoryView &memory, Lead lead)
{
    if (!registers.isKnown(reg::kRbp) || !rules.isCode(registers.pc(), lead))
        return StepResult::NoUnwindInfo;
    NarrowFrame frame{registers.pc(), registers.sp(), registers.value[reg::kRbp]};
    const StepResult result = stepByFramePointer(frame, memory);
    if (result == StepResult::NoUnwindInfo)
        return result;
    for (const unsigned number : FrameRule::kSavedRegister)
        registers.forget(number);
    registers.set(reg::kRbp, frame.bp);
    registers.set(reg::kRsp, frame.sp);
    registers.set(reg::kReturnAddress, frame.pc);
    return result;
}

/// What a step comes to that may follow a guess: where that was wrong, it leads to what is no code, or nowhere.
template <typename Rules> StepResult afterGuess(StepResult result, std::uint64_t pc, Rules &rules, Lead lead)
{
    const bool isRight
        = result == StepResult::ReachedStart || (result == StepResult::Stepped && rules.isCode(pc, lead));
    return isRight || result == StepResult::NeedsMore ? result : StepResult::NoUnwindInfo;
}

template <typename Rules>
StackWalk unwindFull(
    Registers registers, Rules &rules, const MemoryView &memory, std::uint64_t *pcs, std::size_t capacity, bool *exact)
{
    StackWalk walk;
    bool isExact = true;
    [[maybe_unused]] Lead lead = Lead::Rule;
    for (;;) {
        if (walk.count == capacity) {
            walk.end = EndState::Truncated;
            return walk;
        }
        pcs[walk.count] = registers.pc();
        if (exact)
            exact[walk.count] = isExact;
        ++walk.count;
        const std::uint64_t at = lookupAddress(registers.pc(), isExact);
        const FrameRule rule = rules.rule(at);
        StepResult result;
        if (rule.kind() == RuleKind::Complex) {
            CfiRow row;
            Section section;
            result = rules.row(at, row, section) ? step(registers, row, section, memory) : StepResult::BadRule;
        } else {
            result = step(registers, rule, memory);
        }
        if constexpr (GuessesCallers<Rules>) {
            if (lead == Lead::Break)
                lead = Lead::Guess;
            if (result == StepResult::NoUnwindInfo && !isExact) {
                const std::uint64_t bp = registers.value[reg::kRbp];
                result = guessCaller(registers, rules, memory, lead);
                lead = isChained(bp, registers.value[reg::kRbp]) ? Lead::Guess : Lead::Break;
            }
            if (lead != Lead::Rule)
                result = afterGuess(result, registers.pc(), rules, lead);
        }
        if (result != StepResult::Stepped) {
            walk.end = endOf(result);
            return walk;
        }
        isExact = rule.isSignalFrame();
    }
}

template <typename Rules, typename Memory>
StackWalk unwind(
    const Registers &start, Rules &rules, const Memory &memory, std::uint64_t *pcs, std::size_t capacity, bool *exact)
{
    NarrowFrame frame{start.pc(), start.sp(), start.value[reg::kRbp]};
    StackWalk walk;
    bool isExact = true;
    [[maybe_unused]] Lead lead = Lead::Rule;
    for (;;) {
        if (walk.count == capacity) {
            walk.end = EndState::Truncated;
            return walk;
        }
        pcs[walk.count] = frame.pc;
        if (exact)
            exact[walk.count] = isExact;
        ++walk.count;
        const FrameRule rule = rules.rule(lookupAddress(frame.pc, isExact));
        StepResult result = stepNarrow(frame, rule, memory);
        if constexpr (GuessesCallers<Rules>) {
            if (lead == Lead::Break)
                lead = Lead::Guess;
            if (result == StepResult::NoUnwindInfo && !isExact) {
                const std::uint64_t bp = frame.bp;
                result = rules.isCode(frame.pc, lead) ? stepByFramePointer(frame, memory) : result;
                lead = isChained(bp, frame.bp) ? Lead::Guess : Lead::Break;
            }
            if (lead != Lead::Rule)
                result = afterGuess(result, frame.pc, rules, lead);
        }
        if (result == StepResult::Stepped) [[likely]] {
            isExact = rule.isSignalFrame();
            continue;
        }
        if (result == StepResult::NeedsMore)
            return unwindFull(start, rules, MemoryView::of(memory), pcs, capacity, exact);
        walk.end = endOf(result);
        return walk;
    }
}

} // namespace capture::unwind
