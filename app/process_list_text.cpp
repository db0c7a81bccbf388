// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/process_list_text.h"

#include "capture/proc/proc_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

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

} // namespace app
