// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/perf/frame_namer.h"

#include "capture/unwind/unwinder.h"

#include <fmt/format.h>
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

model::FrameId FrameNamer::anonymousFrame(const SampleFrame &frame, std::int32_t pid, model::ImageId image)
{
    Jit &jit = m_jits[image];
    if (!jit.names)
        jit.names = std::make_unique<JitNames>(pid);
    if (!jit.module.isValid())
        jit.module = m_tables.module("[jit]", fmt::format("{:08x}", image.value), model::ModuleKind::Jit);
    const std::size_t known = m_tables.tables().frames.size();
    const model::FrameId id = m_tables.frame(jit.module, frame.pc, frame.kind);
    if (id.index() >= known)
        jit.pending.emplace_back(id, unwind::lookupAddress(frame.pc, frame.kind == model::FrameKind::Exact));
    return id;
}

model::FrameId FrameNamer::userFrame(const SampleFrame &frame, std::int32_t pid, model::ImageId image)
{
    if (!frame.file)
        return m_tables.frame(m_files.unknownModule(), frame.pc, frame.kind);
    if (frame.file->kind == model::ModuleKind::Anonymous && image.isValid())
        return anonymousFrame(frame, pid, image);
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

void FrameNamer::nameJitFrames(model::ImageId image, Jit &jit)
{
    const bool hasEnded = m_tables.tables().images[image.index()].end.has_value();
    constexpr int kMostRounds = 32; // of 8 MiB, for a list that was written at the end
    bool hasNews = jit.looked < jit.pending.size();
    for (int round = 0; round < (hasEnded ? kMostRounds : 1) && jit.names->refresh(); ++round)
        hasNews = true;
    if (!hasNews && !hasEnded)
        return;
    std::erase_if(jit.pending, [&](const auto &pending) {
        const std::string_view name = jit.names->find(pending.second);
        if (!name.empty())
            setName(pending.first, name);
        else if (hasEnded)
            m_tables.setSymbols(pending.first, model::FrameSymbols::State::NoSymbol, {});
        return !name.empty() || hasEnded;
    });
    jit.looked = jit.pending.size();
}

void FrameNamer::nameFrames()
{
    nameKernelFrames();
    for (auto it = m_jits.begin(); it != m_jits.end();) {
        nameJitFrames(it->first, it->second);
        const bool hasEnded = m_tables.tables().images[it->first.index()].end.has_value();
        it = hasEnded ? m_jits.erase(it) : std::next(it);
    }
}

} // namespace capture
