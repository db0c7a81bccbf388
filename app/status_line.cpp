// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/status_line.h"

#include "app/duration_text.h"
#include "app/terminal.h"
#include "capture/recording/control_protocol.h"
#include "model/base/format_counted.h"
#include "model/base/format_units.h"

#include <fmt/format.h>

namespace app {

namespace {

std::string bytes(std::int64_t count) { return model::formatBytes(static_cast<double>(count)); }

std::string signedBytes(std::int64_t count) { return (count >= 0 ? "+" : "") + bytes(count); }

/// Before a number of allocations or frees.
const char *about(const capture::RecordingStatus &status) { return status.heapSampled ? "about " : ""; }

std::string percent(std::int64_t milliPercent) { return fmt::format("{} %", (milliPercent + 500) / 1000); }

std::int64_t lost(const capture::RecordingStatus &status) { return status.eventsDropped + status.samplesLost; }

enum class Detail { All, NoChange, NoAllocations };

std::string lineOf(const capture::RecordingStatus &status, Detail detail)
{
    const bool isPaused = status.state == model::SessionState::Paused;
    std::string line = fmt::format("{} {}", isPaused ? "⏸" : "●", clockText({status.durationNs}));
    const bool hasEnded = status.processes == 0; // then nothing of it is there to be measured
    if (status.rssBytes && !hasEnded)
        line += "  rss " + bytes(*status.rssBytes);
    if (status.heapTraced && !hasEnded)
        line += "  heap " + bytes(status.liveBytes);
    if (status.heapTraced && !hasEnded && detail == Detail::All)
        line += fmt::format(" ({})", signedBytes(status.liveBytesChange));
    if (status.cpuMilliPercent && !hasEnded)
        line += "  cpu " + percent(*status.cpuMilliPercent);
    if (status.heapTraced && detail != Detail::NoAllocations)
        line += fmt::format("  {} allocs", model::formatShortCount(static_cast<double>(status.allocations)));
    line += fmt::format(
        "  {} lost  {} file", model::formatShortCount(static_cast<double>(lost(status))), bytes(status.fileBytes));
    if (!status.trouble.empty())
        line += "  NOT WRITTEN";
    return line;
}

} // namespace

std::string statusLine(const capture::RecordingStatus &status, std::size_t columns)
{
    for (const Detail detail : {Detail::All, Detail::NoChange}) {
        const std::string line = lineOf(status, detail);
        if (cutToColumns(line, columns) == line)
            return line;
    }
    return lineOf(status, Detail::NoAllocations);
}

std::string statusText(const capture::RecordingStatus &status)
{
    std::string text = fmt::format("state      {}\n", capture::stateName(status.state));
    text += fmt::format("recorded   {} in {}\n", durationText({status.durationNs}),
        status.ticks == 1 ? "1 tick" : fmt::format("{} ticks", status.ticks));
    text += fmt::format("target     pid {}, {} running\n", status.targetPid,
        status.processes == 1 ? "1 process" : fmt::format("{} processes", status.processes));
    if (status.rssBytes)
        text += fmt::format("memory     {} resident\n", bytes(*status.rssBytes));
    if (status.heapTraced)
        text += fmt::format("heap       {} live, {}{} allocations, {}{} frees\n", bytes(status.liveBytes),
            about(status), model::formatCount(status.allocations), about(status), model::formatCount(status.frees));
    if (status.cpuMilliPercent)
        text += fmt::format(
            "cpu        {}, {} samples\n", percent(*status.cpuMilliPercent), model::formatCount(status.cpuSamples));
    text += fmt::format("lost       {} heap events, {} samples\n", model::formatCount(status.eventsDropped),
        model::formatCount(status.samplesLost));
    text += fmt::format("file       {}\n", bytes(status.fileBytes));
    text += fmt::format("recorder   {} of CPU time, {} resident\n", durationText({status.recorderCpuNs}),
        bytes(status.recorderRssBytes));
    if (!status.trouble.empty())
        text += fmt::format("trouble    {}\n", status.trouble);
    return text;
}

std::string recordedText(const capture::RecordingStatus &status, const std::string &heapOf)
{
    std::string text = fmt::format("{} recorded", durationText({status.durationNs}));
    if (status.heapTraced)
        text += fmt::format(", {}{}", about(status), model::formatCounted(status.allocations, "allocation"))
            + (heapOf.empty() ? "" : fmt::format(" ({})", heapOf));
    if (status.cpuSamples > 0)
        text += ", " + model::formatCounted(status.cpuSamples, "CPU sample");
    if (lost(status) > 0)
        text += fmt::format(", {} LOST (see genprof report --what losses)", model::formatCount(lost(status)));
    return text;
}

} // namespace app
