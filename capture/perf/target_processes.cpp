// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/perf/target_processes.h"

#include "capture/monotonic_clock.h"
#include "capture/proc/proc_reader.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <variant>

namespace capture {

namespace {

/// The command line of `pid`, provided that it still runs `executable`: by the time a record is read it may have gone on.
std::string commandLineWhile(std::int32_t pid, const std::string &executable)
{
    std::error_code error;
    const auto runs
        = [&] { return std::filesystem::read_symlink(fmt::format("/proc/{}/exe", pid), error).string() == executable; };
    if (!runs())
        return {};
    std::string line = commandLineOf(pid);
    return runs() ? line : std::string();
}

} // namespace

void TargetProcesses::map(Process &process, std::int32_t pid, const PerfMapping &mapping)
{
    process.space.add(
        {mapping.begin, mapping.begin + mapping.bytes, mapping.fileOffset, &m_files.fileOf(mapping, pid)});
}

/// Records come some time after what they tell of: what is gone now is forgotten once they have come to this time.
void TargetProcesses::forgetUnmapped(Process &process, std::int32_t pid, std::uint64_t timeNs)
{
    if (process.goneAtNs != 0 && timeNs > process.goneAtNs) {
        process.space.dropGone();
        process.goneAtNs = 0;
        process.mostMappings = std::max(kLeastMappings, 2 * process.space.size());
    }
    if (process.goneAtNs != 0 || process.space.size() <= process.mostMappings)
        return;
    process.goneAtNs = static_cast<std::uint64_t>(monotonicNs());
    if (const auto mapped = readCodeMappings(pid, BuildIds::Leave); !mapped.empty())
        process.space.markGone(mapped);
}

void TargetProcesses::adopt(std::int32_t pid, std::int32_t parentPid, model::Timestamp when)
{
    Process &process = m_processes[pid];
    m_table.processSeen(pid, parentPid, when);
    for (const PerfMapping &mapping : readCodeMappings(pid))
        map(process, pid, mapping);
    std::error_code error;
    for (std::filesystem::directory_iterator it(fmt::format("/proc/{}/task", pid), error), end; !error && it != end;
         it.increment(error)) {
        const std::int32_t tid = std::atoi(it->path().filename().c_str());
        std::ifstream file(it->path() / "comm");
        std::string text;
        process.threads.insert(tid);
        if (std::getline(file, text))
            m_table.threadNamed(pid, tid, text, when);
    }
}

std::size_t TargetProcesses::threadCount() const
{
    std::size_t count = 0;
    for (const auto &[pid, process] : m_processes)
        count += process.threads.size();
    return count;
}

const AddressSpace &TargetProcesses::spaceOf(std::int32_t pid, model::Timestamp when)
{
    if (!m_processes.contains(pid))
        adopt(pid, 0, when);
    Process &process = m_processes[pid];
    if (process.exec)
        announceExec(process, pid, {});
    return process.space;
}

void TargetProcesses::apply(const PerfRecord &record)
{
    if (const auto *mapping = std::get_if<PerfMapping>(&record.content)) {
        Process &process = m_processes[record.pid];
        if (process.exec && mapping->isExecutable)
            announceExec(process, record.pid, mapping->path);
        map(process, record.pid, *mapping);
        forgetUnmapped(process, record.pid, record.timeNs);
    } else if (const auto *content = std::get_if<PerfName>(&record.content)) {
        name(record, *content);
    } else if (const auto *parent = std::get_if<PerfFork>(&record.content)) {
        fork(record, *parent);
    } else if (std::holds_alternative<PerfExit>(record.content)) {
        exit(record);
    }
}

void TargetProcesses::announceExec(Process &process, std::int32_t pid, const std::string &executable)
{
    const model::Timestamp when = *process.exec;
    process.exec.reset();
    m_table.execSeen(pid, when, model::ProcessSource::Perf, executable, commandLineWhile(pid, executable));
    m_table.threadNamed(pid, pid, process.execName, when);
}

void TargetProcesses::name(const PerfRecord &record, const PerfName &content)
{
    if (!content.isExec) {
        m_table.threadNamed(record.pid, record.tid, content.name, timestamp(record));
        return;
    }
    Process &process = m_processes[record.pid];
    if (process.exec)
        announceExec(process, record.pid, {});
    process.space.clear();
    process.threads = {record.pid}; // exec ends all others; who called it goes on as the leader
    process.exec = timestamp(record);
    process.execName = content.name;
}

void TargetProcesses::fork(const PerfRecord &record, const PerfFork &content)
{
    const model::Timestamp when = timestamp(record);
    if (record.pid != content.parentPid) {
        const auto parent = m_processes.find(content.parentPid);
        AddressSpace space = parent == m_processes.end() ? AddressSpace() : parent->second.space;
        Process &process = m_processes[record.pid];
        process = Process();
        process.space = std::move(space);
        m_table.processSeen(record.pid, content.parentPid, when);
    }
    m_processes[record.pid].threads.insert(record.tid);
    m_table.threadSeen(record.pid, record.tid, when);
}

void TargetProcesses::exit(const PerfRecord &record)
{
    const auto it = m_processes.find(record.pid);
    if (it == m_processes.end())
        return;
    const model::Timestamp when = timestamp(record);
    if (it->second.exec) {
        announceExec(it->second, record.pid, {});
        // An exec that gives more rights, or of a file that cannot be read, takes the events off the process before it maps anything, and tells that
        // as the end of its thread (Linux, begin_new_exec). Whoever reads /proc sees it end.
        if (isRunning(record.pid)) {
            m_unsampled.push_back(m_table.imageAt(record.pid, when));
            return;
        }
    }
    m_table.threadEnded(record.pid, record.tid, when);
    it->second.threads.erase(record.tid);
    if (!it->second.threads.empty())
        return;
    m_table.processEnded(record.pid, when, std::nullopt);
    m_processes.erase(it);
}

} // namespace capture
