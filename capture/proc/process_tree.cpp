// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/proc/process_tree.h"

#include "capture/proc/proc_reader.h"
#include "capture/proc/tracked_process.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <unordered_map>
#include <utility>

namespace capture {

std::vector<TreeProcess> processTree(std::int32_t root, const std::string &procRoot)
{
    // By the parent that each names: a list of children (task/*/children) leaves some out while others of them end.
    std::unordered_map<std::int32_t, std::vector<std::int32_t>> childrenOf;
    bool hasRoot = false;
    for (const std::int32_t pid : numberedEntries(procRoot).value_or(std::vector<std::int32_t>())) {
        const auto text = readProcFile(procRoot + '/' + std::to_string(pid) + "/stat");
        const auto stat = text ? parseStat(*text) : std::nullopt;
        if (!stat || isZombie(*stat))
            continue;
        hasRoot |= pid == root;
        if (pid != ::getpid())
            childrenOf[stat->parentPid].push_back(pid);
    }
    std::vector<TreeProcess> tree;
    if (hasRoot)
        tree.push_back({root, 0});
    for (std::size_t i = 0; i < tree.size(); ++i) {
        // Taken out: numbers that are used again while we look could make a circle.
        auto children = childrenOf.extract(tree[i].pid);
        if (!children)
            continue;
        std::sort(children.mapped().begin(), children.mapped().end());
        for (const std::int32_t child : children.mapped())
            if (child != root)
                tree.push_back({child, children.key()});
    }
    return tree;
}

LeftOutProcess leftOutProcess(std::int32_t pid, std::string why, const std::string &procRoot)
{
    const std::string program = programOf(pid, procRoot);
    return {
        pid, program.empty() ? fmt::format("process {}", pid) : fmt::format("{} ({})", program, pid), std::move(why)};
}

std::string sentenceOf(const std::vector<LeftOutProcess> &processes, const std::string &what)
{
    constexpr std::size_t kNamed = 3;
    if (processes.empty())
        return {};
    std::string names;
    for (std::size_t i = 0; i < std::min(processes.size(), kNamed); ++i)
        names += (i > 0 ? ", " : "") + processes[i].name;
    if (processes.size() > kNamed)
        names += fmt::format(" and {} more", processes.size() - kNamed);
    return fmt::format("{} {}: {}", what, names, processes.front().why);
}

} // namespace capture
