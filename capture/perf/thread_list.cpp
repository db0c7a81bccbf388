// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/perf/thread_list.h"

#include <dirent.h>
#include <fmt/format.h>

#include <charconv>
#include <cstring>
#include <memory>

namespace capture {

std::vector<pid_t> threadsOf(pid_t pid)
{
    std::vector<pid_t> threads;
    const std::unique_ptr<DIR, int (*)(DIR *)> folder(opendir(fmt::format("/proc/{}/task", pid).c_str()), closedir);
    if (!folder)
        return threads;
    while (const dirent *entry = readdir(folder.get())) {
        pid_t thread = 0;
        const char *end = entry->d_name + std::strlen(entry->d_name);
        if (std::from_chars(entry->d_name, end, thread).ptr == end)
            threads.push_back(thread);
    }
    return threads;
}

} // namespace capture
