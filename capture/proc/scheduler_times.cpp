// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/proc/scheduler_times.h"

#include "capture/proc/proc_reader.h"

#include <fmt/format.h>

namespace capture {

namespace {

std::optional<SchedulerTimes> read(const std::string &path)
{
    const auto text = readProcFile(path);
    return text ? parseSchedulerTimes(*text) : std::nullopt;
}

} // namespace

std::optional<SchedulerTimes> parseSchedulerTimes(std::string_view text)
{
    const auto onProcessor = parseNumber(text);
    const std::size_t blank = text.find(' ');
    const auto waited = blank == std::string_view::npos ? std::nullopt : parseNumber(text.substr(blank));
    if (!onProcessor || !waited || *onProcessor <= 0 || *waited < 0)
        return std::nullopt;
    return SchedulerTimes{*onProcessor, *waited};
}

std::optional<SchedulerTimes> schedulerTimesOf(std::int32_t pid)
{
    return read(fmt::format("/proc/{}/schedstat", pid));
}

std::optional<SchedulerTimes> ownSchedulerTimes() { return read("/proc/thread-self/schedstat"); }

} // namespace capture
