// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/perf/thread_openings.h"

namespace capture {

std::vector<bool> ThreadOpenings::missing(pid_t thread, const ThreadForks &forks) const
{
    std::vector<bool> missing(m_events, true);
    const auto fork = forks.find(thread);
    if (fork == forks.end())
        return missing; // it ran before there were records
    const auto parent = m_threads.find(fork->second.parent);
    if (parent == m_threads.end())
        return std::vector<bool>(m_events, false); // inherited from one that inherited all itself
    for (std::size_t i = 0; i < missing.size(); ++i)
        missing[i] = parent->second[i] > fork->second.timeNs;
    return missing;
}

} // namespace capture
