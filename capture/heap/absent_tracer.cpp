// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/heap/absent_tracer.h"

#include "capture/proc/proc_reader.h"
#include "capture/wire/rendezvous.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <system_error>

namespace capture {

namespace {

/// The value of a variable in the text of an environ file.
std::optional<std::string_view> valueOf(std::string_view environment, std::string_view name)
{
    while (!environment.empty()) {
        const std::string_view entry = environment.substr(0, environment.find('\0'));
        if (entry.size() > name.size() && entry.starts_with(name) && entry[name.size()] == '=')
            return entry.substr(name.size() + 1);
        environment.remove_prefix(std::min(entry.size() + 1, environment.size()));
    }
    return std::nullopt;
}

std::string networkOf(const std::string &process, const std::string &procRoot)
{
    std::error_code error;
    return std::filesystem::read_symlink(fmt::format("{}/{}/ns/net", procRoot, process), error).string();
}

/// Whether the process that went into another network was one of the program itself: the nearest ancestor outside runs the same program.
bool isOwnSandbox(std::int32_t pid, const std::string &procRoot)
{
    constexpr int kMostAncestors = 32;
    const std::string program = programOf(pid, procRoot), network = networkOf(std::to_string(pid), procRoot);
    for (int i = 0; i < kMostAncestors && pid > 1; ++i) {
        const auto text = readProcFile(fmt::format("{}/{}/stat", procRoot, pid));
        const auto stat = text ? parseStat(*text) : std::nullopt;
        if (!stat)
            return false;
        pid = stat->parentPid;
        const std::string outer = networkOf(std::to_string(pid), procRoot);
        if (!outer.empty() && outer != network)
            return !program.empty() && programOf(pid, procRoot) == program;
    }
    return false;
}

} // namespace

std::string outOfReach(std::int32_t pid, const MeetingPlace &place)
{
    if (!isOutOfReach(pid, place))
        return {};
    return isOwnSandbox(pid, place.procRoot) ? "It runs in a sandbox that its own program made, with a network and "
                                               "files of its own, from which the recorder "
                                               "cannot be reached; CPU time and memory are recorded."
                                             : kOutOfReach;
}

bool isOutOfReach(std::int32_t pid, const MeetingPlace &place)
{
    const std::string process = std::to_string(pid);
    const std::string theirs = networkOf(process, place.procRoot), ours = networkOf("self", place.procRoot);
    if (theirs.empty() || ours.empty() || theirs == ours)
        return false;
    std::error_code error;
    return place.socketPath.empty()
        || !std::filesystem::exists(fmt::format("{}/{}/root{}", place.procRoot, process, place.socketPath), error);
}

std::string absenceOfTracer(std::int32_t pid, const MeetingPlace &place)
{
    if (std::string why = outOfReach(pid, place); !why.empty())
        return why;
    const auto environment = readProcFile(fmt::format("{}/{}/environ", place.procRoot, pid));
    // Where there is no command line either it has ended, or is executing a program just now.
    const auto commandLine = readProcFile(fmt::format("{}/{}/cmdline", place.procRoot, pid));
    if (!environment || !commandLine || commandLine->empty())
        return {};
    const auto preload = valueOf(*environment, "LD_PRELOAD");
    if (preload && preload->find(place.tracerPath) != std::string_view::npos)
        return {};
    if (preload && !preload->empty())
        return fmt::format(
            "It was started with an LD_PRELOAD of its own ({}), which left the tracer out: set that before genprof "
            "(LD_PRELOAD=… genprof record …), or have the script add to the variable.",
            *preload);
    if (!valueOf(*environment, wire::kRendezvousVariable))
        return "It was started with an environment of its own (env -i, sudo, a service manager), without LD_PRELOAD "
               "and "
               "GENESIS_TRACER: start genprof behind that.";
    return "It was started without LD_PRELOAD, by which the tracer is loaded: start genprof behind what takes it out.";
}

} // namespace capture
