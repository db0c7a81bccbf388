// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/symbols/generated_code.h"

#include "capture/unwind/unwinder.h"

#include <fmt/format.h>

namespace capture {

model::FrameId GeneratedCode::frame(
    model::TableBuilder &tables, model::ImageId image, std::uint64_t pc, model::FrameKind kind)
{
    if (!m_module.isValid())
        m_module = tables.module("[jit]", fmt::format("{:08x}", image.value), model::ModuleKind::Jit);
    const std::size_t known = tables.tables().frames.size();
    const model::FrameId id = tables.frame(m_module, pc, kind);
    if (id.index() >= known && !m_names)
        tables.setSymbols(id, model::FrameSymbols::State::NoSymbol, {});
    else if (id.index() >= known)
        m_pending.emplace_back(id, unwind::lookupAddress(pc, kind == model::FrameKind::Exact));
    return id;
}

void GeneratedCode::nameFrames(model::TableBuilder &tables, bool hasEnded)
{
    if (m_module.isValid() && m_names)
        nameThem(tables, hasEnded);
    if (hasEnded)
        m_names.reset();
}

void GeneratedCode::nameThem(model::TableBuilder &tables, bool hasEnded)
{
    constexpr int kMostRounds = 32; // of 8 MiB, for a list that was written at the end
    bool hasNews = m_looked < m_pending.size();
    for (int round = 0; round < (hasEnded ? kMostRounds : 1) && m_names->refresh(); ++round)
        hasNews = true;
    if (!hasNews && !hasEnded)
        return;
    std::erase_if(m_pending, [&](const auto &pending) {
        const std::string_view name = m_names->find(pending.second);
        if (!name.empty()) {
            const model::SourceLine line{.function = tables.string(name), .file = tables.string(""), .line = 0};
            tables.setSymbols(pending.first, model::FrameSymbols::State::Resolved, {line});
        } else if (hasEnded) {
            tables.setSymbols(pending.first, model::FrameSymbols::State::NoSymbol, {});
        }
        return !name.empty() || hasEnded;
    });
    m_looked = m_pending.size();
}

} // namespace capture
