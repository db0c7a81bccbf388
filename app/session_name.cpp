// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/session_name.h"

#include "capture/proc/proc_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <string_view>
#include <system_error>

namespace app {

namespace {

constexpr std::string_view kEnding = ".gprof-session";
constexpr std::size_t kMostNameBytes = 64;

std::string programName(const model::CaptureConfig &config, const std::string &attachedProgram)
{
    if (config.attachPid && attachedProgram.empty())
        return fmt::format("pid-{}", *config.attachPid);
    const std::string program = config.attachPid ? attachedProgram
        : config.command.empty()                 ? std::string()
                                                 : config.command.front();
    std::string name = std::filesystem::path(program).filename().string();
    const auto isOdd
        = [](unsigned char c) { return c < 0x80 && !std::isalnum(c) && c != '-' && c != '_' && c != '.' && c != '+'; };
    std::replace_if(name.begin(), name.end(), isOdd, '_');
    name.resize(std::min(name.size(), kMostNameBytes));
    while (!name.empty() && (name.front() == '.' || name.front() == '-'))
        name.erase(name.begin());
    return name.empty() ? "recording" : name;
}

} // namespace

std::string defaultSessionName(
    const model::CaptureConfig &config, const std::string &attachedProgram, const std::tm &localTime)
{
    return fmt::format("{}-{:04}{:02}{:02}-{:02}{:02}{:02}{}", programName(config, attachedProgram),
        localTime.tm_year + 1900, localTime.tm_mon + 1, localTime.tm_mday, localTime.tm_hour, localTime.tm_min,
        localTime.tm_sec, kEnding);
}

std::string freeSessionName(const model::CaptureConfig &config)
{
    const std::time_t now = std::time(nullptr);
    std::tm local{};
    ::localtime_r(&now, &local);
    const std::string attached = config.attachPid ? capture::programOf(*config.attachPid) : std::string();
    return withoutClash(defaultSessionName(config, attached, local));
}

std::string withoutClash(const std::string &name)
{
    std::error_code ignored;
    std::string free = name;
    const std::string stem = name.substr(0, name.size() - kEnding.size());
    for (int number = 2; std::filesystem::exists(free, ignored); ++number)
        free = fmt::format("{}-{}{}", stem, number, kEnding);
    return free;
}

std::string utcOffsetText(std::int64_t seconds)
{
    const std::int64_t minutes = std::abs(seconds) / 60;
    return fmt::format("{}{:02}:{:02}", seconds < 0 ? '-' : '+', minutes / 60, minutes % 60);
}

void removeSession(const std::string &path)
{
    std::error_code ignored;
    for (const char *ending : {"", "-wal", "-shm"})
        std::filesystem::remove(path + ending, ignored);
}

} // namespace app
