// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/heap/live_threads.h"

#include <linux/kcmp.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace capture {

namespace {

/// The thread's id in its innermost PID namespace: the last number of the line NSpid. `tid` itself where there is none.
std::int32_t innerTid(const std::string &taskFolder, std::int32_t tid)
{
    std::ifstream status(taskFolder + "/status");
    for (std::string line; std::getline(status, line);) {
        if (line.rfind("NSpid:", 0) != 0)
            continue;
        const std::size_t last = line.find_last_of(" \t");
        return last == std::string::npos ? tid : static_cast<std::int32_t>(std::atoi(line.c_str() + last + 1));
    }
    return tid;
}

/// Whether `tid`, which is no thread of `pid`, runs in its memory all the same: a child made by clone(CLONE_VM), which writes
/// into a ring of its parent's.
bool sharesMemory(std::int32_t pid, std::int32_t tid)
{
    const long order = ::syscall(SYS_kcmp, pid, tid, KCMP_VM, 0, 0);
    if (order >= 0)
        return order == 0;
    // Forbidden or not built in: rather keep a ring too long than take it from somebody who writes into it.
    return errno != ESRCH && ::kill(tid, 0) == 0;
}

} // namespace

LiveThreads::LiveThreads(std::int32_t pid, bool sharesPids)
    : m_pid(pid)
    , m_folder("/proc/" + std::to_string(pid) + "/task")
    , m_sharesPids(sharesPids)
{
    if (sharesPids) {
        m_isKnown = ::access(m_folder.c_str(), F_OK) == 0;
        return;
    }
    std::error_code error;
    std::filesystem::directory_iterator entries(m_folder, error);
    for (const std::filesystem::directory_iterator end; !error && entries != end; entries.increment(error)) {
        const auto tid = static_cast<std::int32_t>(std::atoi(entries->path().filename().c_str()));
        m_tids.push_back(innerTid(entries->path().string(), tid));
    }
    std::sort(m_tids.begin(), m_tids.end());
    m_isKnown = !error && !m_tids.empty();
}

bool LiveThreads::contains(std::int32_t tid) const
{
    if (m_sharesPids)
        return ::access((m_folder + "/" + std::to_string(tid)).c_str(), F_OK) == 0 || sharesMemory(m_pid, tid);
    return std::binary_search(m_tids.begin(), m_tids.end(), tid);
}

} // namespace capture
