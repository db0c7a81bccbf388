// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/perf/address_space.h"
#include "capture/perf/frame_guess.h"
#include "model/tables/program_tables.h"

#include <cstdint>
#include <vector>

namespace capture {

/// One frame of a sample's user stack.
struct SampleFrame
{
    std::uint64_t pc = 0; ///< run-time address, a return address as it is
    model::FrameKind kind = model::FrameKind::ReturnAddress;
    CodeFile *file = nullptr;  ///< null: in no known mapping
    std::uint64_t address = 0; ///< p_vaddr space of the file; the pc where it has none
};

/// Turns the registers and the copied stack of a sample into frames. Capture thread only.
class SampleUnwinder
{
public:
    explicit SampleUnwinder(CodeFiles &files)
        : m_files(files)
    {
    }

    /// Fills `frames`, leaf first, and says how the stack ended. `pid` is whose files are opened.
    model::StackEnd unwind(
        const PerfSample &sample, const AddressSpace &space, std::int32_t pid, std::vector<SampleFrame> &frames);
    /// The frame of a pc; `isExact`: it is the next instruction, no return address.
    SampleFrame locate(std::uint64_t pc, bool isExact, const AddressSpace &space, std::int32_t pid);

private:
    unwind::StepResult step(
        unwind::Registers &registers, const SampleFrame &frame, const unwind::MemoryView &memory, bool &isSignalFrame);

    CodeFiles &m_files;
};

} // namespace capture
