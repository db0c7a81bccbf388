// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/symbols/jit_names.h"
#include "model/tables/table_builder.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

namespace capture {

/// The code that one image generates as it runs: frames in a module "[jit]" of its own (the image's number stands for a build-id), as another image has
/// other code at the same address. Their names come from /tmp/perf-PID.map. Capture thread only.
class GeneratedCode
{
public:
    /// While process `pid` runs, so that the way to its file is known after its end.
    explicit GeneratedCode(std::int32_t pid)
        : m_names(std::make_unique<JitNames>(pid))
    {
    }

    model::FrameId frame(model::TableBuilder &tables, model::ImageId image, std::uint64_t pc, model::FrameKind kind);

    /// At the end of a tick: reads what grew of the file, and names what has been met. Code that is not named yet is tried again, until the image
    /// `hasEnded`: what has no name then, or is met later, gets none.
    void nameFrames(model::TableBuilder &tables, bool hasEnded);

private:
    void nameThem(model::TableBuilder &tables, bool hasEnded);

    std::unique_ptr<JitNames> m_names; ///< null once the image has ended
    model::ModuleId m_module;
    std::vector<std::pair<model::FrameId, std::uint64_t>> m_pending; ///< and where to look it up
    std::size_t m_looked = 0; ///< so many of them were looked up in all that was read so far
};

} // namespace capture
