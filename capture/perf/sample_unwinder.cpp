// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/perf/sample_unwinder.h"

namespace capture {

namespace {

/// No stack that the kernel copies (64 KiB) has more frames that are of use.
constexpr std::size_t kMostFrames = 2048;

static_assert(static_cast<int>(unwind::EndState::ReachedStart) == static_cast<int>(model::StackEnd::ReachedStart)
    && static_cast<int>(unwind::EndState::Truncated) == static_cast<int>(model::StackEnd::Truncated)
    && static_cast<int>(unwind::EndState::NoUnwindInfo) == static_cast<int>(model::StackEnd::NoUnwindInfo)
    && static_cast<int>(unwind::EndState::BadRule) == static_cast<int>(model::StackEnd::BadRule)
    && static_cast<int>(unwind::EndState::Unreadable) == static_cast<int>(model::StackEnd::Unreadable));

/// A copied stack that remembers whether it was read above its end, where the real stack went on.
struct CutStack
{
    const unwind::CopiedStack &copy;
    mutable bool wasReadAbove = false;
    bool read(std::uint64_t from, std::uint64_t &value) const
    {
        if (copy.read(from, value))
            return true;
        wasReadAbove |= from >= copy.address && from + 8 > copy.address + copy.size;
        return false;
    }
};

} // namespace

SampleFrame SampleUnwinder::locate(std::uint64_t pc, bool isExact, const AddressSpace &space, std::int32_t pid)
{
    SampleFrame frame;
    frame.pc = pc;
    frame.kind = isExact ? model::FrameKind::Exact : model::FrameKind::ReturnAddress;
    frame.address = pc;
    const std::uint64_t at = unwind::lookupAddress(pc, isExact);
    const AddressSpace::Mapping *mapping = space.find(at);
    if (!mapping)
        return frame;
    frame.file = mapping->file;
    if (const ElfTables *tables = m_files.tablesOf(*mapping->file, pid)) {
        if (const auto address = tables->addressOf(at - mapping->begin + mapping->fileOffset))
            frame.address = *address + (pc - at);
    } else if (mapping->file->kind == model::ModuleKind::File) {
        // Without the file its segments are unknown; most libraries are linked so that this is the address.
        frame.address = pc - mapping->begin + mapping->fileOffset;
    }
    return frame;
}

unwind::StepResult SampleUnwinder::step(
    unwind::Registers &registers, const SampleFrame &frame, const unwind::MemoryView &memory, bool &isSignalFrame)
{
    isSignalFrame = false;
    ElfTables *tables = frame.file ? frame.file->tables() : nullptr;
    if (!tables)
        return unwind::StepResult::NoUnwindInfo;
    const std::uint64_t at = unwind::lookupAddress(frame.address, frame.kind == model::FrameKind::Exact);
    const unwind::FrameRule rule = tables->rule(at);
    // Of such a function itself the stack that it was called on is still the thread's.
    if (rule.kind() == unwind::RuleKind::NoInfo && frame.kind != model::FrameKind::Exact && tables->isStackBottom(at))
        return unwind::StepResult::ReachedStart;
    isSignalFrame = rule.isSignalFrame();
    if (rule.kind() != unwind::RuleKind::Complex)
        return unwind::step(registers, rule, memory);
    unwind::CfiRow row;
    unwind::Section section;
    return tables->row(at, row, section) ? unwind::step(registers, row, section, memory) : unwind::StepResult::BadRule;
}

model::StackEnd SampleUnwinder::unwind(
    const PerfSample &sample, const AddressSpace &space, std::int32_t pid, std::vector<SampleFrame> &frames)
{
    frames.clear();
    unwind::Registers registers = sample.registers;
    if (!sample.hasRegisters) {
        // A thread on its way out has given up its user side; a 32-bit program has one that we cannot follow.
        if (!sample.is32Bit && sample.isInKernel)
            return model::StackEnd::ReachedStart;
        if (!sample.isInKernel)
            frames.push_back(locate(sample.pc, true, space, pid));
        return model::StackEnd::NoUnwindInfo;
    }
    const unwind::CopiedStack stack{sample.stack.data(), sample.stack.size(), registers.sp()};
    const CutStack memory{stack};
    const unwind::MemoryView view = unwind::MemoryView::of(memory);
    FrameGuess guess(m_files, space, pid);
    bool isExact = true;
    while (frames.size() < kMostFrames) {
        frames.push_back(locate(registers.pc(), isExact, space, pid));
        bool isSignalFrame = false;
        memory.wasReadAbove = false;
        unwind::StepResult result = step(registers, frames.back(), view, isSignalFrame);
        isExact = isSignalFrame;
        if (result == unwind::StepResult::Stepped) {
            result = guess.checked(result, registers.pc(), isExact);
            memory.wasReadAbove = false;
        } else if (result == unwind::StepResult::NoUnwindInfo || result == unwind::StepResult::BadRule) {
            unwind::StepResult guessed = unwind::StepResult::NoUnwindInfo;
            if (frames.size() == 1)
                guessed = guess.stepFromSystemCall(registers, view);
            if (guessed == unwind::StepResult::NoUnwindInfo)
                guessed = guess.step(registers, view);
            result = guessed == unwind::StepResult::NoUnwindInfo ? result : guessed;
            isExact = false;
        }
        if (result == unwind::StepResult::Stepped)
            continue;
        const bool isAtCut = memory.wasReadAbove && sample.isStackCut && result != unwind::StepResult::ReachedStart;
        return isAtCut ? model::StackEnd::Truncated : static_cast<model::StackEnd>(unwind::endOf(result));
    }
    return model::StackEnd::Truncated;
}

} // namespace capture
