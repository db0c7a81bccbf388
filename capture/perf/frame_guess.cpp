// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/perf/frame_guess.h"

namespace capture {

/// It follows a call, as far as the code can be seen. What does not is returned to all the same from a signal, or at a context's start, which tables tell.
/// Of generated code nothing is seen (and interpreters push addresses that they jump to): it has to be mapped, and on the chain of frame pointers.
bool FrameGuess::isReturnAddress(std::uint64_t pc, bool isChained)
{
    const std::uint64_t at = unwind::lookupAddress(pc, false);
    const AddressSpace::Mapping *mapping = m_space.find(at);
    if (!mapping)
        return false;
    const std::uint64_t offset = at - mapping->begin + mapping->fileOffset;
    const std::optional<CodeSurroundings> around = m_files.surroundings(*mapping->file, offset + 1, m_pid);
    if (around && around->followsCall)
        return true;
    ElfTables *tables = m_files.tablesOf(*mapping->file, m_pid);
    const auto address = tables ? tables->addressOf(offset) : std::nullopt;
    const unwind::FrameRule rule = address ? tables->rule(*address) : unwind::FrameRule();
    if (address && tables->isStackBottom(*address))
        return true; // a goroutine's was never called: its begin was put on the stack
    if (around)
        return rule.isSignalFrame() || rule.kind() == unwind::RuleKind::EndOfStack;
    return isChained || (address && rule.kind() != unwind::RuleKind::NoInfo);
}

unwind::StepResult FrameGuess::stepFromSystemCall(unwind::Registers &registers, const unwind::MemoryView &memory)
{
    const std::uint64_t pc = registers.pc(), sp = registers.sp();
    const AddressSpace::Mapping *mapping = m_space.find(pc);
    const auto around = mapping ? m_files.surroundings(*mapping->file, pc - mapping->begin + mapping->fileOffset, m_pid)
                                : std::nullopt;
    // Nothing is below the first instruction of a thread. For whoever made it the call returns its number.
    if (around && around->isBornHere && registers.isKnown(unwind::reg::kRax) && registers.value[unwind::reg::kRax] == 0)
        return unwind::StepResult::ReachedStart;
    std::uint64_t caller = 0;
    if (!around || !around->followsSystemCall || !memory.read(sp, caller) || !isReturnAddress(caller, false))
        return unwind::StepResult::NoUnwindInfo;
    m_hasGuessed = true;
    registers.set(unwind::reg::kRsp, sp + 8);
    registers.set(unwind::reg::kReturnAddress, caller);
    return unwind::StepResult::Stepped;
}

unwind::StepResult FrameGuess::step(unwind::Registers &registers, const unwind::MemoryView &memory)
{
    if (!registers.isKnown(unwind::reg::kRbp))
        return unwind::StepResult::NoUnwindInfo;
    const std::uint64_t bp = registers.value[unwind::reg::kRbp];
    unwind::NarrowFrame frame{registers.pc(), registers.sp(), bp};
    const unwind::StepResult result = unwind::stepByFramePointer(frame, memory);
    if (result == unwind::StepResult::NoUnwindInfo)
        return result;
    if (result == unwind::StepResult::Stepped && !isReturnAddress(frame.pc, unwind::isChained(bp, frame.bp)))
        return unwind::StepResult::NoUnwindInfo;
    m_hasGuessed = true;
    registers.known = 0;
    registers.set(unwind::reg::kRbp, frame.bp);
    registers.set(unwind::reg::kRsp, frame.sp);
    registers.set(unwind::reg::kReturnAddress, frame.pc);
    return result;
}

unwind::StepResult FrameGuess::checked(unwind::StepResult result, std::uint64_t pc, bool isExact)
{
    if (!m_hasGuessed || result == unwind::StepResult::ReachedStart)
        return result;
    const bool isRight
        = result == unwind::StepResult::Stepped && (isExact ? m_space.find(pc) != nullptr : isReturnAddress(pc, true));
    return isRight ? result : unwind::StepResult::NoUnwindInfo;
}

} // namespace capture
