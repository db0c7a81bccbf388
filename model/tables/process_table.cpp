// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/tables/process_table.h"

#include <algorithm>

namespace model {

namespace {

unsigned bit(ProcessSource source)
{
    return 1U << static_cast<unsigned>(source);
}

} // namespace

ProcessTable::ProcessTable(TableBuilder &tables)
    : m_tables(tables)
{
}

ProcessTable::LiveProcess &ProcessTable::live(std::int32_t pid, std::int32_t parentPid, Timestamp when)
{
    if (const auto it = m_live.find(pid); it != m_live.end()) {
        const ProcessId parent = liveProcess(parentPid);
        if (parent.isValid() && !m_tables.tables().processes[it->second.id.index()].parent.isValid())
            m_tables.changeProcess(it->second.id).parent = parent;
        return it->second;
    }
    // A late report of a process that has ended is not a new one.
    if (const auto it = m_ended.find(pid); it != m_ended.end()) {
        if (when <= m_tables.tables().processes[it->second.id.index()].end.value_or(when))
            return it->second;
    }
    LiveProcess process;
    const ProcessId parent = liveProcess(parentPid);
    process.id = m_tables.addProcess({.pid = pid, .parent = parent, .start = when, .end = {}, .waitStatus = {}});
    Image image;
    image.process = process.id;
    image.start = when;
    image.executable = image.commandLine = image.heapNote = m_tables.string("");
    if (parent.isValid()) { // until its first exec a child runs what its parent runs
        const Image &inherited = m_tables.tables().images[currentImage(parentPid).index()];
        image.executable = inherited.executable;
        image.commandLine = inherited.commandLine;
    }
    process.images.push_back({m_tables.addImage(image), 0, {}});
    return m_live[pid] = std::move(process);
}

ProcessId ProcessTable::processSeen(std::int32_t pid, std::int32_t parentPid, Timestamp when)
{
    return live(pid, parentPid, when).id;
}

std::size_t ProcessTable::matchingImage(
    const LiveProcess &process, Timestamp when, ProcessSource source, StringId executable) const
{
    const auto fits = [&](const LiveImage &image) {
        const bool namesDiffer = source != ProcessSource::Launcher && image.executable.isValid()
            && !m_tables.tables().text(executable).empty() && image.executable != executable;
        return (image.announcedBy & bit(source)) == 0 && !namesDiffer;
    };
    // The last exec before the report, unless this source has already told of it or of a later one …
    std::size_t next = 1;
    while (next < process.images.size() && startOf(process.images[next]) <= when)
        ++next;
    for (std::size_t i = next; i-- > 1;) {
        if (fits(process.images[i]))
            return i;
        if ((process.images[i].announcedBy & bit(source)) != 0)
            break;
    }
    // … or one that another source noticed only later than this one.
    return next < process.images.size() && fits(process.images[next]) ? next : process.images.size();
}

ImageId ProcessTable::execSeen(std::int32_t pid, Timestamp when, ProcessSource source, std::string_view executable,
    std::string_view commandLine)
{
    LiveProcess &process = live(pid, 0, when);
    const StringId path = m_tables.string(executable);
    std::size_t at = matchingImage(process, when, source, path);
    if (at == process.images.size())
        at = insertImage(process, when);
    LiveImage &known = process.images[at];
    known.announcedBy |= bit(source);
    if (source != ProcessSource::Launcher && !executable.empty())
        known.executable = path;
    const StringId line = m_tables.string(commandLine);
    Image &image = m_tables.changeImage(known.id);
    if (when < image.start) { // the other source noticed it late
        image.start = when;
        m_tables.changeImage(process.images[at - 1].id).end = when;
    }
    if (m_tables.tables().text(image.executable).empty())
        image.executable = path;
    if (m_tables.tables().text(image.commandLine).empty())
        image.commandLine = line;
    return known.id;
}

std::size_t ProcessTable::insertImage(LiveProcess &process, Timestamp when)
{
    std::size_t at = process.images.size();
    while (at > 1 && startOf(process.images[at - 1]) > when)
        --at;
    Image image;
    image.process = process.id;
    image.epoch = static_cast<std::uint32_t>(process.images.size());
    image.start = when;
    image.executable = image.commandLine = image.heapNote = m_tables.string("");
    Image &before = m_tables.changeImage(process.images[at - 1].id);
    image.end = before.end;
    before.end = when;
    process.images.insert(process.images.begin() + static_cast<std::ptrdiff_t>(at), {m_tables.addImage(image), 0, {}});
    return at;
}

Timestamp ProcessTable::startOf(const LiveImage &image) const
{
    return m_tables.tables().images[image.id.index()].start;
}

ImageId ProcessTable::imageAt(std::int32_t pid, Timestamp when) const
{
    const LiveProcess *process = nullptr;
    if (const auto it = m_live.find(pid); it != m_live.end())
        process = &it->second;
    if (const auto it = m_ended.find(pid); it != m_ended.end()) {
        if (!process || when < m_tables.tables().processes[process->id.index()].start)
            process = &it->second;
    }
    if (!process)
        return {};
    std::size_t at = process->images.size() - 1;
    while (at > 0 && startOf(process->images[at]) > when)
        --at;
    return process->images[at].id;
}

ImageId ProcessTable::currentImage(std::int32_t pid) const
{
    const auto it = m_live.find(pid);
    return it == m_live.end() ? ImageId() : it->second.images.back().id;
}

ThreadId ProcessTable::threadSeen(std::int32_t pid, std::int32_t tid, Timestamp when)
{
    LiveProcess &process = live(pid, 0, when);
    if (const auto it = process.threads.find(tid); it != process.threads.end()) {
        const Thread &known = m_tables.tables().threads[it->second.index()];
        if (when <= known.end.value_or(when))
            return it->second;
    }
    const Thread thread{.process = process.id, .tid = tid, .name = m_tables.string(""), .start = when, .end = {}};
    return process.threads[tid] = m_tables.addThread(thread);
}

void ProcessTable::threadNamed(std::int32_t pid, std::int32_t tid, std::string_view name, Timestamp when)
{
    m_tables.changeThread(threadSeen(pid, tid, when)).name = m_tables.string(name);
}

void ProcessTable::threadEnded(std::int32_t pid, std::int32_t tid, Timestamp when)
{
    m_tables.changeThread(threadSeen(pid, tid, when)).end = when;
}

void ProcessTable::processEnded(std::int32_t pid, Timestamp when, std::optional<int> waitStatus)
{
    const auto it = m_live.find(pid);
    if (it == m_live.end()) { // somebody else said so first; the status may be new
        if (const auto ended = m_ended.find(pid); ended != m_ended.end() && waitStatus)
            m_tables.changeProcess(ended->second.id).waitStatus = waitStatus;
        return;
    }
    LiveProcess process = std::move(it->second);
    m_live.erase(it);
    Process &row = m_tables.changeProcess(process.id);
    row.end = when;
    if (waitStatus)
        row.waitStatus = waitStatus;
    m_tables.changeImage(process.images.back().id).end = when;
    for (const auto &[tid, thread] : process.threads) {
        if (!m_tables.tables().threads[thread.index()].end)
            m_tables.changeThread(thread).end = when;
    }
    m_ended[pid] = std::move(process);
}

ProcessId ProcessTable::liveProcess(std::int32_t pid) const
{
    const auto it = m_live.find(pid);
    return it == m_live.end() ? ProcessId() : it->second.id;
}

std::vector<std::int32_t> ProcessTable::livePids() const
{
    std::vector<std::int32_t> pids;
    for (const auto &[pid, process] : m_live)
        pids.push_back(pid);
    std::sort(pids.begin(), pids.end());
    return pids;
}

} // namespace model
