// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/report/session_words.h"

#include "model/aggregate/function_index.h"
#include "model/base/format_units.h"

#include <fmt/format.h>

#include <algorithm>

namespace model {

std::string quotedForShell(const std::string &argument)
{
    constexpr std::string_view kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./:,@%";
    if (!argument.empty() && argument.find_first_not_of(kPlain) == std::string::npos)
        return argument;
    std::string text = "'";
    for (const char c : argument)
        text += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return text + '\'';
}

std::string commandText(const Snapshot &snapshot)
{
    std::string text;
    for (const std::string &argument : snapshot.info.config.command)
        text += (text.empty() ? "" : " ") + quotedForShell(argument);
    if (text.empty() && !snapshot.tables->images.empty())
        return snapshot.tables->text(snapshot.tables->images.front().commandLine);
    return text;
}

std::int32_t mainPid(const Snapshot &snapshot)
{
    if (!snapshot.tables->processes.empty())
        return snapshot.tables->processes.front().pid;
    return snapshot.info.config.attachPid.value_or(0);
}

std::string_view stateKey(SessionState state)
{
    switch (state) {
    case SessionState::Recording:
        return "recording";
    case SessionState::Paused:
        return "paused";
    case SessionState::Stopping:
        return "stopping";
    case SessionState::Complete:
        return "complete";
    case SessionState::Unfinished:
        return "unfinished";
    }
    return "unknown";
}

std::string_view heapModeKey(HeapMode mode)
{
    switch (mode) {
    case HeapMode::Off:
        return "off";
    case HeapMode::Full:
        return "full";
    case HeapMode::Sampled:
        return "sampled";
    case HeapMode::Auto:
        return "auto";
    }
    return "";
}

std::string_view heapStateKey(HeapState state)
{
    switch (state) {
    case HeapState::Off:
        return "off";
    case HeapState::Waiting:
        return "waiting";
    case HeapState::Full:
        return "full";
    case HeapState::Dormant:
        return "dormant";
    case HeapState::NotTraced:
        return "not_traced";
    case HeapState::Inherited:
        return "inherited";
    case HeapState::Attached:
        return "attached";
    }
    return "unknown";
}

std::string_view heapStateText(HeapState state, HeapMode mode)
{
    switch (state) {
    case HeapState::Off:
        return mode == HeapMode::Off ? "off" : "not known";
    case HeapState::Waiting:
        return "no tracer yet";
    case HeapState::Full:
        return mode != HeapMode::Full ? heapModeKey(mode) : heapStateKey(state);
    case HeapState::Dormant:
        return "gave up";
    case HeapState::NotTraced:
        return "not traced";
    case HeapState::Inherited:
        return "since fork";
    case HeapState::Attached:
        return "since attach";
    }
    return "not known";
}

std::string_view gapKey(GapKind kind)
{
    switch (kind) {
    case GapKind::Paused:
        return "paused";
    case GapKind::TargetStopped:
        return "target_stopped";
    case GapKind::RecorderStopped:
        return "recorder_stopped";
    }
    return "unknown";
}

std::string_view markKey(MarkKind kind)
{
    switch (kind) {
    case MarkKind::User:
        return "user";
    case MarkKind::Process:
        return "process";
    case MarkKind::Alert:
        return "alert";
    case MarkKind::Program:
        return "program";
    }
    return "unknown";
}

std::string endText(const Process &process)
{
    if (!process.end)
        return "running";
    if (!process.waitStatus)
        return "ended";
    const int status = *process.waitStatus;
    if ((status & 0x7f) == 0) // as WIFEXITED, WEXITSTATUS and WTERMSIG of Linux; the session may be from another host
        return fmt::format("exited with {}", (status >> 8) & 0xff);
    return fmt::format("killed by signal {}", status & 0x7f);
}

std::string endingText(const Snapshot &snapshot)
{
    std::string text(stateKey(snapshot.info.state));
    if (!snapshot.info.endReason.empty())
        text += ": " + snapshot.info.endReason;
    const std::vector<Process> &processes = snapshot.tables->processes;
    const auto main = std::find_if(processes.begin(), processes.end(),
        [pid = mainPid(snapshot)](const Process &process) { return process.pid == pid; });
    if (main != processes.end() && main->waitStatus.value_or(0) != 0)
        text += ", " + endText(*main);
    return text;
}

std::int32_t pidOf(const Snapshot &snapshot, ImageId image)
{
    if (image.index() >= snapshot.tables->images.size())
        return 0;
    return snapshot.tables->processes.at(snapshot.tables->images[image.index()].process.index()).pid;
}

std::string programOf(const Snapshot &snapshot, ImageId image)
{
    if (image.index() >= snapshot.tables->images.size())
        return {};
    return std::string(snapshot.tables->programName(snapshot.tables->images[image.index()]));
}

std::string processTextOf(const Snapshot &snapshot, ImageId image)
{
    if (image.index() >= snapshot.tables->images.size())
        return {};
    const std::string name = programOf(snapshot, image);
    return name.empty() ? fmt::format("process {}", pidOf(snapshot, image))
                        : fmt::format("{} ({})", name, pidOf(snapshot, image));
}

std::string processText(const Snapshot &snapshot, ProcessId process)
{
    const ProgramTables &tables = *snapshot.tables;
    const std::int32_t pid = tables.processes.at(process.index()).pid;
    const auto last = std::find_if(tables.images.rbegin(), tables.images.rend(),
        [process](const Image &image) { return image.process == process; });
    const std::string_view name = last == tables.images.rend() ? std::string_view() : tables.programName(*last);
    return name.empty() ? fmt::format("process {}", pid) : fmt::format("{} ({})", name, pid);
}

std::string endsText(const Snapshot &snapshot)
{
    const std::vector<Image> &images = snapshot.tables->images;
    const auto ended
        = std::count_if(snapshot.heapSeries.begin(), snapshot.heapSeries.end(), [&](const HeapSeries &one) {
              return one.image.index() < images.size() && images[one.image.index()].end
                  && *images[one.image.index()].end
                  <= snapshot.span.end; // one that --then-kill ended was live at the end
          });
    const auto all = static_cast<std::ptrdiff_t>(snapshot.heapSeries.size());
    if (all < 2 || ended == 0)
        return {};
    return ended == all ? fmt::format(", each of {} programs at its end", formatCount(all))
                        : fmt::format(", {} of {} programs at their own end", formatCount(ended), formatCount(all));
}

std::array<std::int64_t, kLossKindCount> lossCounts(const Snapshot &snapshot)
{
    std::array<std::int64_t, kLossKindCount> counts{};
    for (const LossTotal &loss : snapshot.losses)
        counts[static_cast<std::size_t>(loss.kind)] += loss.count;
    return counts;
}

std::string redactionText(const SessionInfo &info)
{
    if (!info.redaction)
        return {};
    const std::int64_t texts = info.redaction->texts;
    return fmt::format(
        "Redacted: {} {} replaced by numbered stand-ins: paths, arguments, host, programs, threads, pools, "
        "phases, marks, build-ids{}. Numbers, times, stacks and the names of the C and C++ libraries are "
        "as recorded.",
        formatCount(texts), texts == 1 ? "text was" : "texts were",
        info.redaction->keepsFunctions ? " and folders of source files; functions and files kept their names"
                                       : ", functions and source files");
}

bool isAllLost(const Snapshot &snapshot)
{
    const ProgramTables &tables = *snapshot.tables;
    const bool isUnknown = snapshot.info.startWallNs == 0 && snapshot.info.config.command.empty()
        && tables.processes.empty() && tables.images.empty() && tables.threads.empty();
    return !snapshot.damage.empty() && isUnknown && snapshot.tickEnds.empty() && snapshot.metrics.empty()
        && snapshot.marks.empty() && snapshot.alerts.empty() && snapshot.scans.empty() && !snapshot.soak;
}

std::string dateTimeOf(const Snapshot &snapshot, Timestamp when)
{
    return formatDateTime(when, snapshot.info.startWallNs, snapshot.info.utcOffset);
}

namespace {

std::string stepText(Duration step)
{
    if (step.ns >= 3'600'000'000'000)
        return fmt::format("{} h", step.ns / 3'600'000'000'000);
    return step.ns >= 60'000'000'000 ? fmt::format("{} min", step.ns / 60'000'000'000)
                                     : fmt::format("{} s", step.ns / 1'000'000'000);
}

/// The longest step at one of the ends of the selection.
Duration stepAtEnds(const Snapshot &snapshot)
{
    Duration longest;
    for (const Resolution &part : snapshot.resolutions)
        if (part.span.contains(snapshot.span.begin)
            || (part.span.begin < snapshot.span.end && snapshot.span.end <= part.span.end))
            longest = std::max(longest, part.step);
    return longest;
}

} // namespace

std::string keptText(const Snapshot &snapshot)
{
    std::string text;
    for (const Resolution &part : snapshot.resolutions) {
        if (part.step.ns == 0)
            return text.empty() ? text : text + ", then every tick";
        text += fmt::format(
            "{} {} until {}", text.empty() ? "steps of" : ", of", stepText(part.step), formatOffset(part.span.end));
    }
    return text;
}

std::string askedText(const Snapshot &snapshot)
{
    const Duration step = stepAtEnds(snapshot);
    if (!snapshot.selection.time || snapshot.span.isEmpty() || step.ns == 0)
        return {};
    const TimeRange recorded{snapshot.resolutions.front().span.begin, snapshot.resolutions.back().span.end};
    const TimeRange asked{
        std::max(snapshot.selection.time->begin, recorded.begin), std::min(snapshot.selection.time->end, recorded.end)};
    if (asked == snapshot.span)
        return {};
    return fmt::format("asked for {} – {}, kept in steps of {}", formatOffset(asked.begin, true),
        formatOffset(asked.end, true), stepText(step));
}

} // namespace model
