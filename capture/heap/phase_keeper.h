// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/event_batch.h"

#include <cstdint>
#include <map>
#include <utility>
#include <vector>

namespace capture {

/// The phases that threads are in: pairs begins with ends. Capture thread.
class PhaseKeeper
{
public:
    void begin(model::ThreadId id, std::string name, model::Timestamp when);
    /// Ends the innermost phase of the thread; one that has none is left alone.
    void end(model::ThreadId id, model::Timestamp when);
    /// The thread is gone: its phases have ended.
    void endAll(model::ThreadId id, model::Timestamp when);

    /// Threads that are in a phase.
    std::vector<model::ThreadId> threads() const;

    /// Phases that began or ended since the last call.
    std::vector<model::Phase> take() { return std::exchange(m_changed, {}); }
    /// Phases that were left out because there were too many, since the last call.
    std::int64_t takeDropped() { return std::exchange(m_dropped, 0); }

private:
    struct Thread
    {
        std::vector<model::Phase> open;
        std::size_t unseen = 0; ///< within them: begun and left out
    };

    std::map<std::uint32_t, Thread> m_threads; ///< those that are in a phase
    std::vector<model::Phase> m_changed;
    std::uint32_t m_nextId = 0;
    std::int64_t m_dropped = 0;
};

} // namespace capture
