// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/session_name.h"

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

std::string programName(const model::CaptureConfig &config)
{
    if (config.attachPid)
        return fmt::format("pid-{}", *config.attachPid);
    std::string name = config.command.empty() ? "" : std::filesystem::path(config.command.front()).filename().string();
    const auto isOdd
        = [](unsigned char c) { return c < 0x80 && !std::isalnum(c) && c != '-' && c != '_' && c != '.' && c != '+'; };
    std::replace_if(name.begin(), name.end(), isOdd, '_');
    name.resize(std::min(name.size(), kMostNameBytes));
    while (!name.empty() && (name.front() == '.' || name.front() == '-'))
        name.erase(name.begin());
    return name.empty() ? "recording" : name;
}

} // namespace

std::string defaultSessionName(const model::CaptureConfig &config, const std::tm &localTime)
{
    return fmt::format("{}-{:04}{:02}{:02}-{:02}{:02}{:02}{}", programName(config), localTime.tm_year + 1900,
        localTime.tm_mon + 1, localTime.tm_mday, localTime.tm_hour, localTime.tm_min, localTime.tm_sec, kEnding);
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

} // namespace app
