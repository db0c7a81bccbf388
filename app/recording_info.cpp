// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/recording_info.h"

#include "app/session_name.h"

#include <sys/utsname.h>
#include <unistd.h>

#include <ctime>

namespace app {

namespace {

std::int64_t clockNs(clockid_t clock)
{
    timespec now{};
    ::clock_gettime(clock, &now);
    return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
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

} // namespace app
