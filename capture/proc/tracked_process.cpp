// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/proc/tracked_process.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace capture {

using model::Metric;

bool TrackedProcess::read(std::size_t mostThreads)
{
    const std::optional<ProcStat> stat = sampler.stat();
    if (!stat)
        return false;
    totals.userTicks = stat->userTicks;
    totals.systemTicks = stat->systemTicks;
    totals.minorFaults = stat->minorFaults;
    totals.majorFaults = stat->majorFaults;
    if (const auto io = sampler.io()) {
        hasIo = true;
        totals.readBytes = io->readBytes;
        totals.writtenBytes = io->writtenBytes;
        totals.readCalls = io->readCalls;
        totals.writeCalls = io->writeCalls;
    }
    if (isZombie(*stat)) // it has no memory, threads and files any more: what was read before in this tick stays
        return false;
    image = imageMark(*stat);
    levels.set(Metric::Threads, stat->threads);
    readMemory();
    const bool isUnspoken = (stat->state == 'Z' || stat->state == 'X') && sampler.speaker() == sampler.pid();
    unspokenReads = isUnspoken ? unspokenReads + 1 : 0;
    if (const auto files = sampler.openFiles())
        levels.set(Metric::OpenFiles, *files);
    hasSwitches = sampler.readThreads(mostThreads);
    sumSwitches();
    return true;
}

bool TrackedProcess::hasItsMemory()
{
    const std::optional<ProcStat> stat = sampler.stat();
    return stat && stat->virtualBytes > 0 && imageMark(*stat) == image;
}

KnownMemory TrackedProcess::knownMemory(const std::function<KnownMemory(std::int32_t pid)> &told)
{
    KnownMemory known = told ? told(sampler.pid()) : KnownMemory();
    const std::vector<std::uint64_t> pointers = sampler.stackPointers();
    known.stackTops.insert(known.stackTops.end(), pointers.begin(), pointers.end());
    return known;
}

void TrackedProcess::carryPartsOn()
{
    const auto level = [&](Metric metric) { return levels.get(metric).value_or(0); };
    const ResidentLevels now{
        level(Metric::Rss), level(Metric::Anonymous), level(Metric::FileBacked), level(Metric::Shared)};
    if (hasMeasured && now.total > 0 && (!hasParts || now.total != partsLevels.total)) {
        parts = carriedOn(parts, partsLevels, now);
        partsLevels = now;
        hasParts = true;
    }
}

void TrackedProcess::startFromHere(std::size_t mostThreads)
{
    read(mostThreads);
    atTick = totals;
    levels = {};
}

void TrackedProcess::readMemory()
{
    StatusReading status;
    if (sampler.status(status))
        readMemory(status);
}

void TrackedProcess::readMemory(const StatusReading &status)
{
    const auto set = [&](Metric metric, const std::optional<std::int64_t> &value) {
        if (value)
            levels.set(metric, *value);
    };
    set(Metric::Rss, status.residentBytes);
    set(Metric::Anonymous, status.anonymousBytes);
    set(Metric::FileBacked, status.fileBytes);
    set(Metric::Shared, status.sharedBytes);
    set(Metric::Swap, status.swapBytes);
    set(Metric::VirtualSize, status.virtualBytes);
    readMostMemory(status);
}

/// The kernel says what was most since the process began: where that is another number than before, it was reached since then.
void TrackedProcess::readMostMemory(const StatusReading &status)
{
    if (!status.residentBytes)
        return;
    std::int64_t most = std::max(*status.residentBytes, levels.get(Metric::RssPeak).value_or(0));
    if (status.mostResidentBytes && *status.mostResidentBytes != std::exchange(mostResident, *status.mostResidentBytes))
        most = std::max(most, mostResident + status.hugeBytes);
    levels.set(Metric::RssPeak, most);
}

void TrackedProcess::sumSwitches()
{
    std::int64_t voluntary = 0;
    std::int64_t involuntary = 0;
    for (const auto &[tid, thread] : sampler.threads()) {
        voluntary += thread.voluntarySwitches;
        involuntary += thread.involuntarySwitches;
    }
    totals.voluntarySwitches = endedVoluntary + voluntary;
    totals.involuntarySwitches = endedInvoluntary + involuntary;
}

std::vector<std::string> TrackedProcess::takeUnreadable()
{
    std::vector<std::string> sentences;
    if (!hasIo && !std::exchange(hasReportedIo, true))
        sentences.push_back(fmt::format("process {} runs with other rights than the recorder: its io, smaps_rollup and "
                                        "fd below /proc may not be read",
            sampler.pid()));
    // Once may be in the middle of its end, when all have let go of the memory.
    if (unspokenReads > 1 && !std::exchange(hasReportedMemory, true))
        sentences.push_back(
            fmt::format("the first thread of process {} has ended, and no other lets its memory be read below /proc",
                sampler.pid()));
    return sentences;
}

std::size_t lookAtNew(std::map<std::int32_t, TrackedProcess> &tracked)
{
    constexpr std::size_t kMost = 8; // some 20 µs each
    const auto isNew = [](const auto &one) { return one.second.isNew; };
    const auto count = static_cast<std::size_t>(std::count_if(tracked.begin(), tracked.end(), isNew));
    if (count > kMost)
        return 0;
    for (auto &[pid, process] : tracked)
        if (process.isNew)
            process.readMemory();
    return count;
}

} // namespace capture
