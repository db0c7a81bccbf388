// SPDX-License-Identifier: GPL-3.0-or-later
// What a process table knows of threads.
#include "model/tables/process_table.h"

#include <algorithm>

namespace model {

namespace {

/// How long the system may list a thread whose end perf has told. Tids are hardly ever used again as fast.
constexpr Duration kStaysListed = Duration::fromMs(1000);

} // namespace

ProcessTable::LiveThread &ProcessTable::threadAt(std::int32_t pid, std::int32_t tid, Timestamp when)
{
    LiveProcess *late = known(pid, when) ? nullptr : endedLately(pid, when);
    LiveProcess &process = late ? *late : processAt(pid, 0, when);
    when = std::min(when, row(process).end.value_or(when));
    const auto it = process.threads.find(tid);
    if (it != process.threads.end()) {
        const Thread &thread = m_tables.tables().threads[it->second.id.index()];
        const bool isReused = thread.end && when > *thread.end && !row(process).end;
        if (!isReused) {
            if (when < thread.start)
                m_tables.changeThread(it->second.id).start = when;
            return it->second;
        }
    }
    Thread thread;
    thread.process = process.id;
    thread.tid = tid;
    thread.name = m_tables.string({});
    thread.start = when;
    thread.end = row(process).end;
    LiveThread &added = process.threads[tid];
    added = {m_tables.addThread(thread), Timestamp{-1}};
    return added;
}

ThreadId ProcessTable::threadSeen(std::int32_t pid, std::int32_t tid, Timestamp when)
{
    return threadAt(pid, tid, when).id;
}

void ProcessTable::threadNamed(std::int32_t pid, std::int32_t tid, std::string_view name, Timestamp when)
{
    LiveThread &thread = threadAt(pid, tid, when);
    if (when >= thread.named && !thread.isNamedByProgram)
        rename(thread, name, when);
}

/// The end of the thread if it was told and lies within that time, else the end of that time.
Timestamp ProcessTable::lastWithin(std::int32_t pid, std::int32_t tid, TimeRange within) const
{
    const LiveProcess *process = known(pid, within.end);
    if (!process)
        return within.end;
    const auto it = process->threads.find(tid);
    if (it == process->threads.end())
        return within.end;
    const std::optional<Timestamp> end = m_tables.tables().threads[it->second.id.index()].end;
    return end && *end >= within.begin ? std::min(within.end, *end) : within.end;
}

void ProcessTable::threadListed(std::int32_t pid, std::int32_t tid, std::string_view name, Timestamp when)
{
    threadNamed(pid, tid, name, lastWithin(pid, tid, {when - kStaysListed, when}));
}

void ProcessTable::threadFound(std::int32_t pid, std::int32_t tid, std::string_view name, TimeRange within)
{
    LiveThread &thread = threadAt(pid, tid, lastWithin(pid, tid, within));
    if (within.begin >= thread.named && !thread.isNamedByProgram)
        rename(thread, name, within.begin); // it may have been renamed within that time, by who knows when
}

void ProcessTable::threadNamedByProgram(std::int32_t pid, std::int32_t tid, std::string_view name, Timestamp when)
{
    LiveThread &thread = threadAt(pid, tid, when);
    if (thread.isNamedByProgram && when < thread.named)
        return;
    thread.isNamedByProgram = true;
    rename(thread, name, when);
}

void ProcessTable::rename(LiveThread &thread, std::string_view name, Timestamp when)
{
    thread.named = when;
    const StringId text = m_tables.string(name);
    if (m_tables.tables().threads[thread.id.index()].name != text)
        m_tables.changeThread(thread.id).name = text;
}

void ProcessTable::threadEnded(std::int32_t pid, std::int32_t tid, Timestamp when)
{
    const LiveProcess *process = known(pid, when);
    if (!process)
        return;
    const auto it = process->threads.find(tid);
    if (it == process->threads.end())
        return;
    const Thread &thread = m_tables.tables().threads[it->second.id.index()];
    if (when >= thread.start && (!thread.end || when < *thread.end))
        m_tables.changeThread(it->second.id).end = when;
}

} // namespace model
