// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/proc/process_list.h"

#include "capture/proc/process_sampler.h"

#include <pwd.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>

namespace capture {

namespace {

constexpr std::int32_t kKernelThreadParent = 2; // kthreadd, whose children have no program
constexpr std::int64_t kNsPerSecond = 1'000'000'000;

std::int64_t wallNs()
{
    timespec time{};
    clock_gettime(CLOCK_REALTIME, &time);
    return std::int64_t{time.tv_sec} * kNsPerSecond + time.tv_nsec;
}

/// The effective user of a status file's "Uid: real effective saved file-system" line.
std::uint32_t effectiveUser(std::string_view status)
{
    std::uint32_t user = 0;
    forEachField(status, [&](std::string_view name, std::string_view rest) {
        if (name != "Uid")
            return;
        const std::size_t second = rest.find_first_of(" \t", rest.find_first_not_of(" \t"));
        if (second != std::string_view::npos)
            user = static_cast<std::uint32_t>(parseNumber(rest.substr(second)).value_or(0));
    });
    return user;
}

} // namespace

ProcessList::ProcessList(std::string procRoot, ProcClock clock)
    : m_procRoot(std::move(procRoot))
    , m_clock(std::move(clock))
{
}

std::vector<model::RunningProcess> ProcessList::refresh()
{
    std::vector<std::int32_t> pids = numberedEntries(m_procRoot).value_or(std::vector<std::int32_t>());
    std::sort(pids.begin(), pids.end());
    m_thisUse.clear();
    std::vector<model::RunningProcess> processes;
    for (const std::int32_t pid : pids) {
        model::RunningProcess process;
        if (pid != ::getpid() && readOne(pid, process))
            processes.push_back(std::move(process));
    }
    m_lastUse.swap(m_thisUse);
    return processes;
}

bool ProcessList::readOne(std::int32_t pid, model::RunningProcess &process)
{
    auto sampler = ProcessSampler::open(m_procRoot, pid, false);
    const auto stat = sampler ? sampler->stat() : std::nullopt;
    const bool isKernelThread = stat && (pid == kKernelThreadParent || stat->parentPid == kKernelThreadParent);
    if (!stat || stat->state == 'Z' || stat->state == 'X' || (isKernelThread && stat->virtualBytes == 0))
        return false;
    const auto status = readProcFile(m_procRoot + '/' + std::to_string(pid) + "/status");
    if (!status)
        return false;
    process.pid = pid;
    process.parentPid = stat->parentPid;
    process.userId = effectiveUser(*status);
    process.user = userName(process.userId);
    process.isOurs = process.userId == ::geteuid();
    process.name = stat->name;
    process.executable = sampler->executable();
    process.commandLine = sampler->commandLine();
    process.cpuMilliPercent = cpuMilliPercent(pid, *stat);
    process.rssBytes = kilobyteField(*status, "VmRSS").value_or(0);
    process.threads = stat->threads;
    process.startWallNs = wallNs() - m_clock.bootNs() + stat->startTicks * (kNsPerSecond / m_clock.ticksPerSecond);
    return true;
}

std::int64_t ProcessList::cpuMilliPercent(std::int32_t pid, const ProcStat &stat)
{
    const std::int64_t tickNs = kNsPerSecond / m_clock.ticksPerSecond;
    CpuUse use{stat.startTicks, stat.userTicks + stat.systemTicks, m_clock.bootNs()};
    CpuUse before{stat.startTicks, 0, stat.startTicks * tickNs};
    const auto last = m_lastUse.find(pid);
    if (last != m_lastUse.end() && last->second.startTicks == stat.startTicks)
        before = last->second;
    m_thisUse.insert_or_assign(pid, use);
    const std::int64_t elapsedNs = std::max<std::int64_t>(use.atNs - before.atNs, tickNs);
    return static_cast<std::int64_t>(
        static_cast<double>((use.cpuTicks - before.cpuTicks) * tickNs) * 1e5 / static_cast<double>(elapsedNs));
}

const std::string &ProcessList::userName(std::uint32_t userId)
{
    const auto [it, isNew] = m_users.try_emplace(userId, std::to_string(userId));
    if (!isNew)
        return it->second;
    passwd entry{};
    passwd *found = nullptr;
    std::vector<char> buffer(1 << 14);
    if (::getpwuid_r(userId, &entry, buffer.data(), buffer.size(), &found) == 0 && found)
        it->second = found->pw_name;
    return it->second;
}

} // namespace capture
