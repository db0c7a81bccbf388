// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/heap/phase_keeper.h"

#include <algorithm>

namespace capture {

namespace {

constexpr std::size_t kDeepest = 64;
constexpr std::uint32_t kMostPhases = 500'000; ///< of a recording: what a reader has to keep

} // namespace

void PhaseKeeper::begin(model::ThreadId id, std::string name, model::Timestamp when)
{
    Thread &thread = m_threads[id.value];
    if (thread.open.size() >= kDeepest || thread.unseen > 0 || m_nextId >= kMostPhases) {
        ++thread.unseen;
        ++m_dropped;
        return;
    }
    model::Phase phase{m_nextId++, id, static_cast<std::uint32_t>(thread.open.size()), std::move(name), when, {}};
    m_changed.push_back(phase);
    thread.open.push_back(std::move(phase));
}

void PhaseKeeper::end(model::ThreadId id, model::Timestamp when)
{
    const auto found = m_threads.find(id.value);
    if (found == m_threads.end())
        return;
    Thread &thread = found->second;
    if (thread.unseen > 0) {
        --thread.unseen;
    } else if (!thread.open.empty()) {
        thread.open.back().end = std::max(when, thread.open.back().begin);
        m_changed.push_back(std::move(thread.open.back()));
        thread.open.pop_back();
    }
    if (thread.unseen == 0 && thread.open.empty())
        m_threads.erase(found);
}

void PhaseKeeper::endAll(model::ThreadId id, model::Timestamp when)
{
    while (m_threads.contains(id.value))
        end(id, when);
}

std::vector<model::ThreadId> PhaseKeeper::threads() const
{
    std::vector<model::ThreadId> ids;
    for (const auto &[id, thread] : m_threads)
        ids.emplace_back(id);
    return ids;
}

} // namespace capture
