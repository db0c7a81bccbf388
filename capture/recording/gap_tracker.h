// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/event_batch.h"

#include <array>
#include <optional>
#include <vector>

namespace capture {

/// Collects the spans in which nothing was recorded. A gap is handed out once, when it ends. Capture thread.
class GapTracker
{
public:
    /// Begins a gap unless one of this kind is open.
    void begin(model::GapKind kind, model::Timestamp when);

    /// Ends the open gap of this kind, if there is one.
    void end(model::GapKind kind, model::Timestamp when);

    /// Adds a gap whose both ends are known.
    void add(model::Gap gap);

    bool isOpen(model::GapKind kind) const;

    /// Ends all open gaps; for the end of the recording.
    void endAll(model::Timestamp when);

    /// Gaps that ended since the last call.
    std::vector<model::Gap> take();

private:
    static constexpr std::size_t kKindCount = 3;
    std::array<std::optional<model::Timestamp>, kKindCount> m_open;
    std::vector<model::Gap> m_ended;
};

} // namespace capture
