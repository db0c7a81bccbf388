// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/proc/proc_instrument.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

// What the instrument tells the table of a process that it reads: its programs, its title, its threads.

namespace capture {

namespace {

constexpr std::uint64_t kTitleTicks = 10; ///< how often a command line is read again
constexpr unsigned kFirstTitleReads = 2;  ///< a title is mostly set at the start: at the first ticks each
constexpr unsigned kMostTitleDoublings = 12;

} // namespace

void ProcInstrument::reportExec(TrackedProcess &process, model::Timestamp when, model::ProcessSource source)
{
    const std::string executable = process.sampler.executable();
    const std::string commandLine = process.sampler.commandLine();
    const auto stat = process.sampler.stat();
    process.title = commandLine;
    process.nextTitleRead = m_tickNumber;
    process.titleReads = process.titleChanges = 0;
    // After an exec in between these would be the next image's, which the next look reports.
    const bool isStill = stat && imageMark(*stat) == process.image && process.image.isComplete();
    if (!executable.empty() && isStill)
        m_table.execSeen(process.sampler.pid(), when, source, executable, commandLine);
    else if (executable.empty())
        nameUnreadable(process, commandLine.empty() && stat ? stat->name : commandLine);
}

/// Of a process whose executable may not be read, what it was started as is all that names it.
void ProcInstrument::nameUnreadable(const TrackedProcess &process, const std::string &started)
{
    const model::ImageId id = m_table.currentImage(process.sampler.pid());
    if (!id.isValid() || m_table.tables().tables().images[id.index()].commandLine != model::StringId(0u))
        return;
    m_table.tables().changeImage(id).commandLine = m_table.commandLine(started);
}

/// What an exec was started with follows in brackets; that of a fork is its parent's.
void ProcInstrument::reportTitle(const TrackedProcess &process, const std::string &title)
{
    constexpr std::string_view kStarted = " [started as ";
    const model::ImageId id = m_table.currentImage(process.sampler.pid());
    if (!id.isValid())
        return;
    model::TableBuilder &tables = m_table.tables();
    const std::string known = tables.tables().text(tables.tables().images[id.index()].commandLine);
    const std::string shown = tables.tables().text(m_table.commandLine(title)); // without secrets
    std::string started = known;
    if (const std::size_t mark = known.find(kStarted); mark != known.npos && known.ends_with(']'))
        started = known.substr(mark + kStarted.size(), known.size() - 1 - mark - kStarted.size());
    const bool isKept = !process.image.isFork && !started.empty() && started != shown;
    const std::string text = isKept ? shown + std::string(kStarted) + started + ']' : shown;
    if (text != known)
        tables.changeImage(id).commandLine = tables.string(text);
}

/// Servers write what a process is for over its arguments (setproctitle), mostly soon after its start. Each change doubles the time until the
/// next look: titles that count something would fill the session.
void ProcInstrument::readTitle(TrackedProcess &process)
{
    if (m_tickNumber < process.nextTitleRead)
        return;
    std::string title = process.sampler.commandLine();
    if (!title.empty() && title != process.title) {
        reportTitle(process, title);
        process.title = std::move(title);
        ++process.titleChanges;
    }
    process.nextTitleRead = m_tickNumber
        + (process.titleReads++ < kFirstTitleReads
                ? 1
                : kTitleTicks << std::min(process.titleChanges, kMostTitleDoublings));
}

void ProcInstrument::reportThreads(TrackedProcess &process, model::Timestamp now)
{
    const std::int32_t pid = process.sampler.pid();
    std::vector<std::int32_t> ended;
    for (const auto &[tid, thread] : process.sampler.threads()) {
        if (thread.seenAt == process.sampler.threadReading()) {
            m_table.threadListed(pid, tid, thread.name, now);
            continue;
        }
        m_table.threadEnded(pid, tid, now);
        process.endedVoluntary += thread.voluntarySwitches;
        process.endedInvoluntary += thread.involuntarySwitches;
        ended.push_back(tid);
    }
    for (const std::int32_t tid : ended)
        process.sampler.forgetThread(tid);
}

} // namespace capture
