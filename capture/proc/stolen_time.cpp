// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/proc/stolen_time.h"

#include "capture/proc/proc_reader.h"

#include <algorithm>
#include <array>
#include <utility>

namespace capture {

namespace {

std::optional<ProcessorTimes> read()
{
    const auto text = readProcFile("/proc/stat", 512); // of which its first line is enough
    return text ? parseProcessorTimes(*text) : std::nullopt;
}

} // namespace

std::optional<ProcessorTimes> parseProcessorTimes(std::string_view stat)
{
    constexpr std::string_view kAll = "cpu ";
    if (!stat.starts_with(kAll))
        return std::nullopt;
    stat = stat.substr(kAll.size(), stat.find('\n') - kAll.size());
    // user, nice, system, idle, iowait, irq, softirq, steal; what guests use is user time already
    std::array<std::uint64_t, 8> ticks = {};
    for (std::uint64_t &value : ticks) {
        const auto number = parseNumber(stat);
        if (!number || *number < 0)
            return std::nullopt;
        value = static_cast<std::uint64_t>(*number);
        const std::size_t digit = stat.find_first_not_of(' ');
        stat = stat.substr(std::min(stat.find(' ', digit), stat.size()));
    }
    return ProcessorTimes{ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6], ticks[7]};
}

double stolenShare(const ProcessorTimes &from, const ProcessorTimes &to)
{
    if (to.used < from.used || to.stolen <= from.stolen)
        return 0; // of a guest that moved to another machine the counters may begin anew
    const auto stolen = static_cast<double>(to.stolen - from.stolen);
    return stolen / (stolen + static_cast<double>(to.used - from.used));
}

StolenTime::StolenTime()
    : m_last(read())
{
}

double StolenTime::takeShare()
{
    const std::optional<ProcessorTimes> last = std::exchange(m_last, read());
    return last && m_last ? stolenShare(*last, *m_last) : 0;
}

} // namespace capture
