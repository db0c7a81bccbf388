// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/perf/frame_namer.h"

#include "capture/unwind/unwinder.h"

#include <pthread.h>

namespace capture {

FrameNamer::FrameNamer(model::TableBuilder &tables, CodeFiles &files, bool hasKernel)
    : m_tables(tables)
    , m_files(files)
    , m_isKernelVisible(hasKernel && KernelSymbols::areVisible())
{
    // Some 10 MB of text: read in the capture thread, it would let the rings overflow at high rates.
    if (m_isKernelVisible) {
        m_kernelLoading = std::async(std::launch::async, [] {
            pthread_setname_np(pthread_self(), "kernel-symbols");
            return KernelSymbols::read();
        });
    }
}

bool FrameNamer::isPending(model::FrameId frame) const
{
    return m_tables.tables().symbols[frame.index()].state == model::FrameSymbols::State::Pending;
}

void FrameNamer::setName(model::FrameId frame, std::string_view name)
{
    const model::SourceLine line{.function = m_tables.string(name), .file = m_tables.string(""), .line = 0};
    m_tables.setSymbols(frame, model::FrameSymbols::State::Resolved, {line});
}

model::FrameId FrameNamer::kernelFrame(std::uint64_t pc, bool isExact)
{
    const auto kind = isExact ? model::FrameKind::Exact : model::FrameKind::ReturnAddress;
    if (!m_isKernelVisible) {
        const model::FrameId frame = m_tables.frame(m_files.kernelModule(), 0, model::FrameKind::Exact);
        if (isPending(frame))
            setName(frame, "[kernel]");
        return frame;
    }
    const std::size_t known = m_tables.tables().frames.size();
    const model::FrameId frame = m_tables.frame(m_files.kernelModule(), pc, kind);
    if (frame.index() >= known)
        m_pendingKernel.emplace_back(frame, unwind::lookupAddress(pc, isExact));
    return frame;
}

model::FrameId FrameNamer::userFrame(const SampleFrame &frame, std::int32_t pid, model::ImageId image)
{
    if (!frame.file)
        return m_tables.frame(m_files.unknownModule(), frame.pc, frame.kind);
    if (frame.file->kind == model::ModuleKind::Anonymous && image.isValid())
        return m_generated.try_emplace(image, pid).first->second.frame(m_tables, image, frame.pc, frame.kind);
    return m_tables.frame(m_files.moduleOf(*frame.file, pid), frame.address, frame.kind);
}

std::string_view FrameNamer::kernelFunctionAt(std::uint64_t address)
{
    if (m_kernelLoading.valid())
        m_kernel = m_kernelLoading.get();
    return m_kernel.find(address);
}

void FrameNamer::nameKernelFrames()
{
    if (m_pendingKernel.empty())
        return;
    if (m_kernelLoading.valid())
        m_kernel = m_kernelLoading.get();
    for (const auto &[frame, address] : m_pendingKernel) {
        const std::string_view name = m_kernel.find(address);
        setName(frame, name.empty() ? "[kernel]" : name);
    }
    m_pendingKernel.clear();
}

void FrameNamer::nameFrames()
{
    nameKernelFrames();
    for (auto it = m_generated.begin(); it != m_generated.end();) {
        const bool hasEnded = m_tables.tables().images[it->first.index()].end.has_value();
        it->second.nameFrames(m_tables, hasEnded);
        it = hasEnded ? m_generated.erase(it) : std::next(it);
    }
}

} // namespace capture
