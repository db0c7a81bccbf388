// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace capture {

/// Which threads of a process live, by the ids that the process itself sees (in a container these are not ours).
class LiveThreads
{
public:
    /// `sharesPids`: the process has the same ids for its threads as we do.
    LiveThreads(std::int32_t pid, bool sharesPids);

    /// False if nothing can be said: the process is gone, or not ours to look at.
    bool isKnown() const { return m_isKnown; }
    /// True if the thread is there, or what has its id runs in the same memory (clone with CLONE_VM). Where ids are not shared, threads that end meanwhile can hide a living one from
    /// the list, so only one that is missing repeatedly is gone.
    bool contains(std::int32_t tid) const;
    bool isReliable() const { return m_sharesPids; }

private:
    std::int32_t m_pid;
    std::string m_folder; ///< /proc/PID/task
    bool m_sharesPids;
    bool m_isKnown = false;
    std::vector<std::int32_t> m_tids; ///< sorted; where ids are not shared
};

} // namespace capture
