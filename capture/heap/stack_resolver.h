// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/heap/module_names.h"
#include "capture/symbols/generated_code.h"
#include "capture/wire/layout.h"
#include "model/tables/table_builder.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace capture {

/// Turns one image's stack nodes into stacks of the session. Everything it reads was written by the target: it is
/// copied once and checked, so the worst that a hostile target can do is to name wrong places. The capture thread owns it.
class StackResolver
{
public:
    /// `pid`: of the process, if it still runs, for the names of code that it generates.
    StackResolver(wire::MemoryView view, ModuleNames names, std::int32_t pid);

    /// What code without a module belongs to from now on; before that to nobody.
    void setImage(model::ImageId image) { m_image = image; }
    /// At the end of a tick: see GeneratedCode.
    void nameGeneratedCode(model::TableBuilder &tables, bool hasEnded);

    model::StackId stackOf(std::uint32_t node, model::TableBuilder &tables);
    /// How the stack of `node` ended.
    model::StackEnd endOf(std::uint32_t node, model::TableBuilder &tables);

    ModuleNames &names() { return m_names; }
    /// Nodes that could not be what a tracer writes, since the last call.
    std::int64_t takeBadNodes();

private:
    struct KnownModule
    {
        model::ModuleId id;
        std::uint64_t loadBias = 0;
        std::uint64_t begin = 0;
        std::uint64_t end = 0;
    };
    const KnownModule &moduleOf(std::uint32_t index, model::TableBuilder &tables);
    std::optional<KnownModule> readModule(std::uint32_t index, model::TableBuilder &tables);
    model::FrameId frameOf(const wire::Node &node, model::TableBuilder &tables);

    wire::MemoryView m_view;
    ModuleNames m_names;
    std::vector<model::StackId> m_stacks;              ///< by node; invalid: not resolved yet
    std::vector<std::uint8_t> m_ends;                  ///< by node: StackEnd
    std::vector<std::optional<KnownModule>> m_modules; ///< by wire index
    std::optional<KnownModule> m_anonymous;
    model::ImageId m_image;
    GeneratedCode m_generated;
    std::int64_t m_badNodes = 0;
};

} // namespace capture
