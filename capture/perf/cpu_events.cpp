// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/perf/cpu_events.h"

#include "capture/perf/thread_list.h"
#include "capture/target/open_files_limit.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>

namespace capture {

namespace {

constexpr std::size_t kLeastRingBytes = std::size_t{64} << 10;
constexpr std::size_t kMostRingBytes = std::size_t{16} << 20;
constexpr std::size_t kMostBytesOfAllRings = std::size_t{256} << 20;

std::uint64_t monotonicNs()
{
    timespec now = {};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
}

} // namespace

std::size_t wantedRingBytes(const CpuEventOptions &options, std::size_t cpuCount)
{
    constexpr std::size_t kRestOfSample = 512;
    const std::size_t quarterSecond = std::size_t{options.hz} * (options.stackBytes + kRestOfSample) / 4;
    const std::size_t most = std::clamp(
        std::bit_floor(kMostBytesOfAllRings / std::max<std::size_t>(cpuCount, 1)), kLeastRingBytes, kMostRingBytes);
    return std::clamp(std::bit_ceil(quarterSecond), kLeastRingBytes, most);
}

model::Result<void> CpuEvents::prepare(CpuEventOptions options, pid_t thread)
{
    raiseOpenFilesLimit();
    m_options = options;
    m_cpus = onlineCpus();
    auto setup = findCpuEventSetup(options, thread, m_cpus.front());
    if (!setup)
        return setup.error();
    m_setup = *setup;
    m_ringBytes = wantedRingBytes(options, m_cpus.size());
    m_rings.resize(m_cpus.size());
    m_ringOwners.assign(m_cpus.size(), -1);
    return {};
}

model::Result<void> CpuEvents::attachOutput(std::size_t cpuIndex, int fd)
{
    if (m_ringOwners[cpuIndex] >= 0) {
        if (ioctl(fd, PERF_EVENT_IOC_SET_OUTPUT, m_ringOwners[cpuIndex]) != 0)
            return model::systemError(fmt::format("Joining the sample ring of CPU {}", m_cpus[cpuIndex]), errno);
        return {};
    }
    m_ringOwners[cpuIndex] = fd;
    m_descriptors.push_back(fd);
    int error = 0;
    m_rings[cpuIndex] = PerfRing::map(fd, m_ringBytes, error);
    // More than ulimit -l and kernel.perf_event_mlock_kb grant: smaller rings lose samples sooner, and then say so.
    while ((error == EPERM || error == ENOMEM) && m_ringBytes > kLeastRingBytes) {
        m_ringBytes /= 2;
        error = mapAgain();
    }
    if (error != 0)
        return model::systemError(
            fmt::format("Mapping sample rings of {} KiB for {} CPUs", m_ringBytes >> 10, m_cpus.size()), error,
            "allow more with ulimit -l, or: sudo sysctl kernel.perf_event_mlock_kb=1028");
    return {};
}

int CpuEvents::mapAgain()
{
    readEarlyRecords();
    for (PerfRing &ring : m_rings)
        ring = PerfRing(); // all make room before the first is mapped
    for (std::size_t i = 0; i < m_rings.size(); ++i) {
        int error = 0;
        if (m_ringOwners[i] >= 0)
            m_rings[i] = PerfRing::map(m_ringOwners[i], m_ringBytes, error);
        if (error != 0)
            return error;
    }
    return 0;
}

model::Result<void> CpuEvents::openThread(pid_t thread, const std::vector<bool> &wanted)
{
    Thread &known = m_threads[thread];
    known.openedNs.resize(m_cpus.size());
    for (std::size_t i = 0; i < m_cpus.size(); ++i) {
        if (!wanted[i])
            continue;
        int error = 0;
        PerfDescriptor event
            = openPerfEvent(cpuEventAttributes(m_options, m_setup, m_ringBytes), thread, m_cpus[i], error);
        if (error == ENODEV && m_setup.event == CpuEvent::CpuClock)
            continue; // the CPU went offline
        if (event.get() < 0)
            return perfOpenError(error, thread);
        auto joined = attachOutput(i, event.get());
        if (!joined)
            return joined;
        m_events.push_back(std::move(event));
        known.openedNs[i] = monotonicNs();
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
    for (PerfRing &ring : m_rings) {
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

std::vector<bool> CpuEvents::missingCpus(pid_t thread) const
{
    std::vector<bool> missing(m_cpus.size(), true);
    const auto fork = m_forks.find(thread);
    if (fork == m_forks.end())
        return missing;
    const auto parent = m_threads.find(fork->second.parent);
    if (parent == m_threads.end())
        return std::vector<bool>(m_cpus.size(), false); // inherited from one that inherited all itself
    for (std::size_t i = 0; i < missing.size(); ++i)
        missing[i] = parent->second.openedNs[i] > fork->second.timeNs;
    return missing;
}

bool CpuEvents::scanOnce(const std::vector<pid_t> &pids, bool isFirst, model::Result<void> &outcome)
{
    std::vector<pid_t> fresh;
    for (const pid_t pid : pids) {
        for (const pid_t thread : threadsOf(pid)) {
            if (!m_threads.contains(thread))
                fresh.push_back(thread);
        }
    }
    // A thread shows in /proc a moment before its fork record is in the ring.
    if (!isFirst && !fresh.empty())
        usleep(1000);
    readEarlyRecords();
    for (const pid_t thread : fresh) {
        const std::vector<bool> missing = missingCpus(thread);
        m_threads[thread].openedNs.resize(m_cpus.size());
        if (std::find(missing.begin(), missing.end(), true) == missing.end())
            continue;
        auto opened = openThread(thread, missing);
        const bool isGone = threadsOf(thread).empty();
        if (!opened && !isGone) {
            outcome = opened;
            return false;
        }
    }
    return !fresh.empty();
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
