// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/perf/tracepoint.h"

#include <unistd.h>

#include <cerrno>
#include <fstream>

namespace capture {

std::optional<std::uint64_t> tracepointId(const std::string &name)
{
    for (const char *folder : {"/sys/kernel/tracing", "/sys/kernel/debug/tracing"}) {
        std::ifstream file(std::string(folder) + "/events/" + name + "/id");
        std::uint64_t id = 0;
        if (file >> id)
            return id;
    }
    return std::nullopt;
}

std::string tracepointObstacle()
{
    if (access("/sys/kernel/tracing/events", F_OK) == 0)
        return "may not be read";
    return errno == EACCES ? "may not be read" : "is not there (tracefs is not mounted)";
}

} // namespace capture
