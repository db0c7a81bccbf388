// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/running_processes.h"

#include "capture/proc/proc_reader.h"
#include "capture/target/target_process.h"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <chrono>
#include <string_view>
#include <thread>

namespace app {

std::vector<std::int32_t> runningPids(const model::ProcessTable &processes)
{
    std::vector<std::int32_t> pids = processes.livePids();
    std::erase_if(pids, [](std::int32_t pid) { return !capture::isRunning(pid); });
    return pids;
}

std::string processListText(
    const std::vector<std::int32_t> &pids, const model::ProcessTable &processes, const model::ProgramTables &tables)
{
    constexpr std::size_t kShown = 5;
    std::string text = pids.size() == 1 ? "process" : "processes";
    for (std::size_t i = 0; i < std::min(pids.size(), kShown); ++i) {
        const model::ImageId image = processes.currentImage(pids[i]);
        const std::string_view name = image.isValid() ? tables.programName(tables.images[image.index()]) : "";
        text += fmt::format("{}{}{}", i == 0 ? " " : ", ", pids[i], name.empty() ? "" : fmt::format(" ({})", name));
    }
    return pids.size() > kShown ? fmt::format("{} and {} more", text, pids.size() - kShown) : text;
}

void ProcessEnder::ask(const std::vector<std::int32_t> &pids, const model::ProcessTable &processes,
    const model::ProgramTables &tables, std::int64_t beginNs)
{
    m_hasAsked = true;
    for (const std::int32_t pid : pids) {
        const model::ProcessId id = processes.liveProcess(pid);
        m_asked.push_back({pid, beginNs + tables.processes[id.index()].start.ns});
        capture::sendSignalTo(pid, m_asked.back().beganByNs, SIGTERM);
    }
}

std::vector<std::int32_t> ProcessEnder::finish(model::Duration patience)
{
    constexpr std::chrono::milliseconds kBetweenLooks{20};
    const auto until = std::chrono::steady_clock::now() + std::chrono::nanoseconds(patience.ns);
    const auto forgetEnded
        = [this] { std::erase_if(m_asked, [](const Asked &one) { return !capture::isRunning(one.pid); }); };
    for (forgetEnded(); !m_asked.empty() && std::chrono::steady_clock::now() < until; forgetEnded())
        std::this_thread::sleep_for(kBetweenLooks);
    std::vector<std::int32_t> killed;
    for (const Asked &one : m_asked) {
        capture::sendSignalTo(one.pid, one.beganByNs, SIGKILL);
        killed.push_back(one.pid);
    }
    m_asked.clear();
    return killed;
}

} // namespace app
