// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/perf/cpu_events.h"

#include "capture/perf/thread_list.h"
#include "capture/target/open_files_limit.h"

#include <fmt/format.h>
#include <poll.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <iterator>

namespace capture {

namespace {

constexpr std::size_t kMostRingBytes = std::size_t{16} << 20;
constexpr std::size_t kMostBytesOfAllRings = std::size_t{256} << 20;

std::uint64_t monotonicNs()
{
    timespec now = {};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
}

bool isOnline(int cpu)
{
    const std::vector<int> online = onlineCpus();
    return std::binary_search(online.begin(), online.end(), cpu);
}

} // namespace

std::size_t wantedRingBytes(const CpuEventOptions &options, std::size_t cpuCount)
{
    constexpr std::size_t kRestOfSample = 512;
    const std::size_t quarterSecond = std::size_t{options.hz} * (options.stackBytes + kRestOfSample) / 4;
    const std::size_t most = std::clamp(std::bit_floor(kMostBytesOfAllRings / std::max<std::size_t>(cpuCount, 1)),
        SampleRings::kLeastBytes, kMostRingBytes);
    return std::clamp(std::bit_ceil(quarterSecond), SampleRings::kLeastBytes, most);
}

model::Result<void> CpuEvents::prepare(CpuEventOptions options, pid_t thread)
{
    raiseOpenFilesLimit();
    m_options = options;
    m_cpus = presentCpus();
    auto setup = findCpuEventSetup(options, thread, onlineCpus().front());
    if (!setup)
        return setup.error();
    m_setup = *setup;
    m_rings = SampleRings(m_cpus, wantedRingBytes(options, m_cpus.size()));
    m_threads = ThreadOpenings(m_cpus.size());
    return {};
}

model::Result<void> CpuEvents::attachOutput(std::size_t cpuIndex, int fd)
{
    if (!m_rings.hasOwner(cpuIndex))
        m_descriptors.push_back(fd);
    return m_rings.attach(cpuIndex, fd, [this] { readEarlyRecords(); });
}

model::Result<void> CpuEvents::openThread(pid_t thread, const std::vector<bool> &wanted)
{
    m_threads.add(thread);
    const perf_event_attr attributes = cpuEventAttributes(m_options, m_setup, ringBytes());
    for (std::size_t i = 0; i < m_cpus.size(); ++i) {
        if (!wanted[i])
            continue;
        int error = 0;
        PerfDescriptor event = openPerfEvent(attributes, thread, m_cpus[i], error);
        // The kernel takes events of threads for a CPU that is offline, and they count once it is online; where it does not, the others do.
        if (event.get() < 0 && error != EMFILE && !isOnline(m_cpus[i]))
            continue;
        if (event.get() < 0)
            return perfOpenError(error, thread);
        auto joined = attachOutput(i, event.get());
        if (!joined)
            return joined;
        m_events.push_back(std::move(event));
        m_threads.opened(thread, i, monotonicNs());
    }
    return {};
}

model::Result<CpuEvents> CpuEvents::openForLaunch(CpuEventOptions options, pid_t stoppedChild)
{
    options.startsOnExec = true;
    CpuEvents events;
    auto prepared = events.prepare(options, stoppedChild);
    if (!prepared)
        return prepared.error();
    auto opened = events.openThread(stoppedChild, std::vector<bool>(events.m_cpus.size(), true));
    if (!opened && events.m_setup.event == CpuEvent::Cycles) {
        // Cycles on some CPUs only (processors of two kinds): the clock works on all.
        const CpuEventSetup clock{.event = CpuEvent::CpuClock,
            .hasKernel = events.m_setup.hasKernel,
            .hasBuildIds = events.m_setup.hasBuildIds,
            .hasLostCount = events.m_setup.hasLostCount,
            .hasInheritThread = events.m_setup.hasInheritThread};
        events = CpuEvents();
        prepared = events.prepare(options, stoppedChild);
        if (!prepared)
            return prepared.error();
        events.m_setup = clock;
        opened = events.openThread(stoppedChild, std::vector<bool>(events.m_cpus.size(), true));
    }
    if (!opened)
        return opened.error();
    return events;
}

void CpuEvents::readEarlyRecords()
{
    for (PerfRing &ring : rings()) {
        if (!ring.isMapped())
            continue;
        ring.read(ring.dataBytes(), [this](std::span<const std::uint8_t> bytes) {
            PerfRecord record;
            if (decodePerfRecord(bytes, record) != DecodeResult::Decoded)
                return;
            if (const auto *fork = std::get_if<PerfFork>(&record.content))
                m_forks[record.tid] = {fork->parentTid, record.timeNs};
            m_early.push_back(std::move(record));
        });
    }
}

std::vector<CpuEvents::NewThread> CpuEvents::findNewThreads(const std::vector<pid_t> &pids)
{
    std::vector<NewThread> fresh;
    for (const pid_t root : pids) {
        const auto tree = m_options.followsChildren ? processTree(root) : std::vector<TreeProcess>{{root, 0}};
        for (const TreeProcess &process : tree) {
            if (m_foundPids.insert(process.pid).second)
                m_processes.push_back(process);
            for (const pid_t thread : threadsOf(process.pid))
                if (!m_threads.knows(thread))
                    fresh.push_back({process.pid, thread});
        }
    }
    return fresh;
}

/// Fails for a thread of `pids` alone: that a descendant cannot be sampled is no reason to sample nothing.
model::Result<void> CpuEvents::openNewThread(const NewThread &fresh, const std::vector<pid_t> &pids)
{
    const std::vector<bool> missing = m_threads.missing(fresh.thread, m_forks);
    m_threads.add(fresh.thread);
    const bool isLeftOut = std::any_of(m_leftOut.begin(), m_leftOut.end(),
        [&](const LeftOutProcess &process) { return process.pid == fresh.process; });
    if (isLeftOut || std::find(missing.begin(), missing.end(), true) == missing.end())
        return {};
    auto opened = openThread(fresh.thread, missing);
    if (opened || threadsOf(fresh.thread).empty()) // it ended
        return {};
    if (std::find(pids.begin(), pids.end(), fresh.process) != pids.end())
        return opened;
    m_leftOut.push_back(leftOutProcess(fresh.process, opened.error().text()));
    return {};
}

bool CpuEvents::scanOnce(const std::vector<pid_t> &pids, bool isFirst, model::Result<void> &outcome)
{
    constexpr std::size_t kThreadsPerRead = 64; // samples of the first ones come while the others are opened
    const std::vector<NewThread> fresh = findNewThreads(pids);
    // A thread shows in /proc a moment before its fork record is in the ring.
    if (!isFirst && !fresh.empty())
        usleep(1000);
    for (std::size_t i = 0; i < fresh.size(); ++i) {
        if (i % kThreadsPerRead == 0)
            readEarlyRecords();
        outcome = openNewThread(fresh[i], pids);
        if (!outcome)
            return false;
    }
    return !fresh.empty();
}

std::vector<TreeProcess> CpuEvents::earlierProcesses() const
{
    std::vector<TreeProcess> earlier;
    std::copy_if(m_processes.begin(), m_processes.end(), std::back_inserter(earlier),
        [this](const TreeProcess &process) { return !m_forks.contains(process.pid); });
    return earlier;
}

model::Result<CpuEvents> CpuEvents::openForAttach(CpuEventOptions options, const std::vector<pid_t> &pids)
{
    options.startsOnExec = false;
    CpuEvents events;
    if (pids.empty())
        return model::Error("No process to sample");
    auto prepared = events.prepare(options, pids.front());
    if (!prepared)
        return prepared.error();
    // A program that starts threads faster than they can be found is caught by inheritance after the first rounds.
    constexpr int kMostScans = 20;
    model::Result<void> outcome;
    for (int scan = 0; scan < kMostScans && events.scanOnce(pids, scan == 0, outcome); ++scan) { }
    if (!outcome)
        return outcome.error();
    if (events.m_events.empty())
        return model::Error(fmt::format("Process {} has no thread to sample: it ended", pids.front()));
    return events;
}

std::size_t grantedRingBytes(const CpuEventOptions &options)
{
    const auto events = CpuEvents::openForLaunch(options, ::gettid()); // waits for an exec that does not come
    return events ? events->ringBytes() : 0;
}

void CpuEvents::dropEnded()
{
    std::erase_if(m_descriptors, [](int fd) {
        pollfd poller = {.fd = fd, .events = POLLIN, .revents = 0};
        return poll(&poller, 1, 0) > 0 && (poller.revents & (POLLHUP | POLLERR)) != 0;
    });
}

CpuEvents::Totals CpuEvents::totals() const
{
    Totals totals;
    const std::size_t bytes = sizeof(std::uint64_t) * (m_setup.hasLostCount ? 2 : 1);
    for (const PerfDescriptor &event : m_events) {
        std::uint64_t values[2] = {}; // count, lost
        if (read(event.get(), values, bytes) != static_cast<ssize_t>(bytes))
            continue;
        totals.count += values[0];
        totals.lost += values[1];
    }
    return totals;
}

} // namespace capture
