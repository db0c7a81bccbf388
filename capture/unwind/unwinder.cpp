// SPDX-License-Identifier: MIT
#include "capture/unwind/unwinder.h"

#include "capture/unwind/expression.h"

namespace capture::unwind {

namespace {

/// The CFA by a compact rule; `base` is the register it was computed from.
StepResult compactCfa(
    const Registers &registers, FrameRule rule, const MemoryView &memory, std::uint64_t &base, std::uint64_t &cfa)
{
    switch (rule.kind()) {
    case RuleKind::EndOfStack:
        return StepResult::ReachedStart;
    case RuleKind::NoInfo:
        return StepResult::NoUnwindInfo;
    case RuleKind::Register:
    case RuleKind::MemoryAtRegister:
    case RuleKind::PltStub:
        break;
    default:
        return StepResult::BadRule;
    }
    if (!registers.isKnown(rule.cfaRegister()))
        return StepResult::BadRule;
    base = registers.value[rule.cfaRegister()];
    cfa = base + static_cast<std::uint64_t>(rule.cfaOffset());
    if (rule.kind() == RuleKind::PltStub && (registers.pc() & 15) >= 11)
        cfa += 8;
    if (rule.kind() == RuleKind::MemoryAtRegister && !memory.read(cfa, cfa))
        return StepResult::Unreadable;
    return StepResult::Stepped;
}

/// One register of the caller by a row. A register that cannot be found is forgotten, which only matters where a
/// later rule needs it; the return address and rsp are needed at once.
StepResult recover(unsigned number, const Registers &from, const CfiRow &row, const Section &section,
    const MemoryView &memory, std::uint64_t cfa, Registers &to)
{
    const std::int32_t value = row.values[number];
    std::uint64_t found = 0;
    StepResult result = StepResult::Stepped;
    switch (row.rules[number]) {
    case RegisterRule::Same:
        return StepResult::Stepped;
    case RegisterRule::Undefined:
        to.forget(number);
        return StepResult::Stepped;
    case RegisterRule::Offset:
        if (const std::uint64_t slot = cfa + static_cast<std::uint64_t>(std::int64_t{value});
            !memory.read(slot, found)) {
            if (slot < from.sp())
                return StepResult::Stepped; // popped already: the register holds it again
            result = StepResult::Unreadable;
        }
        break;
    case RegisterRule::ValueOffset:
        found = cfa + static_cast<std::uint64_t>(std::int64_t{value});
        break;
    case RegisterRule::Register:
        if (value < 0 || !from.isKnown(static_cast<unsigned>(value)))
            result = StepResult::BadRule;
        else
            found = from.value[value];
        break;
    case RegisterRule::Expression:
        result = evaluate(section, value, from, memory, &cfa, found);
        if (result == StepResult::Stepped && !memory.read(found, found))
            result = StepResult::Unreadable;
        break;
    case RegisterRule::ValueExpression:
        result = evaluate(section, value, from, memory, &cfa, found);
        break;
    }
    if (result == StepResult::Stepped)
        to.set(number, found);
    else
        to.forget(number);
    return result;
}

StepResult rowCfa(
    const Registers &registers, const CfiRow &row, const Section &section, const MemoryView &memory, std::uint64_t &cfa)
{
    if (row.cfaIsExpression)
        return evaluate(section, row.cfaValue, registers, memory, nullptr, cfa);
    if (!registers.isKnown(row.cfaRegister))
        return StepResult::BadRule;
    cfa = registers.value[row.cfaRegister] + static_cast<std::uint64_t>(std::int64_t{row.cfaValue});
    return StepResult::Stepped;
}

} // namespace

StepResult step(Registers &registers, FrameRule rule, const MemoryView &memory)
{
    std::uint64_t base = 0, cfa = 0, pc = 0;
    const StepResult result = compactCfa(registers, rule, memory, base, cfa);
    if (result != StepResult::Stepped)
        return result;
    if (cfa <= registers.sp())
        return StepResult::BadRule;
    if (!memory.read(cfa - 8, pc))
        return StepResult::Unreadable;
    const std::uint64_t from = rule.savedFromRegister() ? base : cfa;
    for (unsigned i = 0; i < FrameRule::SavedCount; ++i) {
        const unsigned field = rule.saved(static_cast<FrameRule::Saved>(i));
        const unsigned number = FrameRule::kSavedRegister[i];
        const std::uint64_t slot = from + static_cast<std::uint64_t>(FrameRule::savedOffset(field));
        std::uint64_t value = 0;
        if (field == FrameRule::kSame)
            continue;
        if (field == FrameRule::kUndefined)
            registers.forget(number);
        else if (memory.read(slot, value))
            registers.set(number, value);
        else if (slot >= registers.sp()) // below, it is popped already (an epilogue): the register holds it again
            return StepResult::Unreadable;
    }
    registers.set(reg::kRsp, cfa);
    registers.set(reg::kReturnAddress, pc);
    return pc == 0 ? StepResult::ReachedStart : StepResult::Stepped;
}

StepResult step(Registers &registers, const CfiRow &row, const Section &section, const MemoryView &memory)
{
    if (row.rules[reg::kReturnAddress] == RegisterRule::Undefined)
        return StepResult::ReachedStart;
    if (row.rules[reg::kReturnAddress] == RegisterRule::Same)
        return StepResult::BadRule; // a frame that is its own caller
    std::uint64_t cfa = 0;
    StepResult result = rowCfa(registers, row, section, memory, cfa);
    if (result != StepResult::Stepped)
        return result;
    Registers caller = registers;
    caller.set(reg::kRsp, cfa);
    for (unsigned number = 0; number < reg::kCount; ++number) {
        result = recover(number, registers, row, section, memory, cfa, caller);
        const bool isNeededNow = number == reg::kRsp || number == reg::kReturnAddress;
        if (isNeededNow && result != StepResult::Stepped)
            return result;
    }
    // A signal may have come while the thread ran on another stack; all other callers lie above.
    if (!row.isSignalFrame && caller.sp() <= registers.sp())
        return StepResult::BadRule;
    registers = caller;
    return registers.pc() == 0 ? StepResult::ReachedStart : StepResult::Stepped;
}

} // namespace capture::unwind
