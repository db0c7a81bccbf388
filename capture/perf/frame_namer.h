// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/perf/code_files.h"
#include "capture/perf/kernel_symbols.h"
#include "capture/perf/sample_unwinder.h"
#include "capture/symbols/generated_code.h"
#include "model/tables/table_builder.h"

#include <cstdint>
#include <future>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace capture {

/// Gives frames their ids, and names to those that no file has names for: the kernel's and generated code's.
/// Frames of files stay pending for the symbolizer. Capture thread only.
class FrameNamer
{
public:
    /// `hasKernel`: samples in the kernel will come; its list of functions is read meanwhile, in a thread of its own.
    FrameNamer(model::TableBuilder &tables, CodeFiles &files, bool hasKernel);

    model::FrameId userFrame(const SampleFrame &frame, std::int32_t pid, model::ImageId image);
    /// A place in the kernel. Where it hides its addresses, all are one frame, "[kernel]".
    model::FrameId kernelFrame(std::uint64_t pc, bool isExact);

    /// The kernel function that holds `address`; empty where it is not known. Waits for the list to be read.
    std::string_view kernelFunctionAt(std::uint64_t address);

    /// Names what was met since the last call, at the end of a tick; reads what grew of the processes' own
    /// lists. Code that is not named yet is tried again, until its image ended.
    void nameFrames();

private:
    bool isPending(model::FrameId frame) const;
    void setName(model::FrameId frame, std::string_view name);
    void nameKernelFrames();

    model::TableBuilder &m_tables;
    CodeFiles &m_files;
    bool m_isKernelVisible;
    std::future<KernelSymbols> m_kernelLoading; ///< valid until the first kernel frame is named
    KernelSymbols m_kernel;
    std::vector<std::pair<model::FrameId, std::uint64_t>> m_pendingKernel;
    std::unordered_map<model::ImageId, GeneratedCode> m_generated;
};

} // namespace capture
