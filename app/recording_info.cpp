// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/recording_info.h"

#include "app/session_name.h"

#include <sys/utsname.h>
#include <unistd.h>

#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iterator>

namespace app {

namespace {

std::int64_t clockNs(clockid_t clock)
{
    timespec now{};
    ::clock_gettime(clock, &now);
    return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

/// Path of the user's patterns; empty where there is no home.
std::string patternsFile()
{
    // https://specifications.freedesktop.org/basedir-spec: relative paths count as unset.
    if (const char *config = std::getenv("XDG_CONFIG_HOME"); config && *config == '/')
        return std::string(config) + "/genesis-profiler/redact";
    if (const char *home = std::getenv("HOME"); home && *home == '/')
        return std::string(home) + "/.config/genesis-profiler/redact";
    return {};
}

} // namespace

RecordingStart RecordingStart::now() { return {clockNs(CLOCK_MONOTONIC), clockNs(CLOCK_REALTIME)}; }

model::SessionInfo describeRecording(const model::CaptureConfig &config, RecordingStart start)
{
    model::SessionInfo info;
    info.config = config;
    info.startWallNs = start.wallNs;
    const std::time_t seconds = start.wallNs / 1'000'000'000;
    std::tm local{};
    ::localtime_r(&seconds, &local);
    info.utcOffset = utcOffsetText(local.tm_gmtoff);
    utsname system{};
    if (::uname(&system) == 0) {
        info.host = system.nodename;
        info.kernel = std::string(system.sysname) + " " + system.release + " " + system.machine;
    }
    info.cpuCount = static_cast<std::uint32_t>(::sysconf(_SC_NPROCESSORS_ONLN));
    info.pageBytes = static_cast<std::uint32_t>(::sysconf(_SC_PAGESIZE));
    info.recorderVersion = GENESIS_VERSION;
    info.recorderPid = ::getpid();
    return info;
}

model::Result<model::SecretPatterns> secretPatterns(const std::vector<std::string> &more)
{
    model::SecretPatterns patterns;
    for (const std::string &pattern : more)
        if (auto added = patterns.add(pattern); !added)
            return added.error().within("--redact");
    const std::string path = patternsFile();
    std::ifstream file(path, std::ios::binary);
    if (path.empty() || !file)
        return patterns;
    const std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    if (auto added = patterns.addLines(text); !added)
        return added.error().within(path);
    return patterns;
}

} // namespace app
