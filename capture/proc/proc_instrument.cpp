// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/proc/proc_instrument.h"

#include "capture/pidfd.h"

#include <fmt/format.h>
#include <poll.h>
#include <time.h>

#include <algorithm>
#include <limits>
#include <utility>

namespace capture {

using model::Metric;

namespace {

constexpr std::size_t kMostKeptOpen = 64; ///< processes whose files stay open, three descriptors each
constexpr std::size_t kMostPidfds = 256;
constexpr std::size_t kMostThreadsRead = 256; ///< above, reading each thread's status would show in the profile
constexpr int kLeastDiscoveryMs = 20;
constexpr std::int64_t kNsPerMs = 1'000'000;
constexpr std::int64_t kCostShare = 100;                 ///< what may cost at most one part in a hundred
constexpr std::int64_t kPartsCostShare = 300;            ///< a third of a percent of a core for all mappings
constexpr std::int64_t kDearPartsNs = 10 * kNsPerMs;     ///< reading all mappings of a process takes longer
constexpr std::int64_t kSlowPartsNs = 60'000 * kNsPerMs; ///< how often all mappings are read where that is dear
constexpr std::size_t kMostFilesSeen = 256;              ///< descriptors of a process that are asked where they write
constexpr std::uint64_t kSlowReadTicks = 10;             ///< how often limits and groups are read again
constexpr std::int64_t kStartSlackNs = 20 * kNsPerMs;    ///< two clock ticks, the resolution of start times

std::int64_t perSecond(std::int64_t difference, std::int64_t elapsedNs)
{
    return static_cast<std::int64_t>(static_cast<double>(difference) * 1e9 / static_cast<double>(elapsedNs) + 0.5);
}

std::int64_t threadCpuNs()
{
    timespec time{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

} // namespace

ProcInstrument::ProcInstrument(ProcOptions options, model::ProcessTable &table)
    : m_options(std::move(options))
    , m_table(table)
    , m_cgroups(m_options.procRoot, m_options.cgroupRoot)
    , m_disk(m_options.procRoot)
    , m_lastTickNs(m_options.clock.monotonicNs())
{
}

void ProcInstrument::start(model::Timestamp now)
{
    m_lastTickNs = m_options.clock.monotonicNs() - now.ns;
    for (const std::int32_t pid : m_options.roots)
        adopt(pid, now);
    discover(now);
    readAll(now);
}

std::vector<int> ProcInstrument::descriptors() const
{
    std::vector<int> fds;
    for (const auto &[pid, process] : m_tracked)
        if (process.pidfd.isOpen())
            fds.push_back(process.pidfd.get());
    return fds;
}

int ProcInstrument::drainIntervalMs() const { return m_isLookingAtNew ? kLeastDiscoveryMs : m_discoveryIntervalMs; }

bool ProcInstrument::drain(model::Timestamp now)
{
    m_isLookingAtNew = lookAtNew(m_tracked) > 0;
    std::vector<pollfd> entries;
    std::vector<std::int32_t> pids;
    for (const auto &[pid, process] : m_tracked) {
        if (process.pidfd.isOpen()) {
            entries.push_back({process.pidfd.get(), POLLIN, 0});
            pids.push_back(pid);
        }
    }
    if (::poll(entries.data(), entries.size(), 0) > 0) {
        for (std::size_t i = 0; i < entries.size(); ++i) {
            if (entries[i].revents != 0)
                finish(pids[i], now);
        }
    }
    if (m_options.clock.monotonicNs() >= m_nextDiscoveryNs)
        discover(now);
    return false;
}

void ProcInstrument::discover(model::Timestamp now)
{
    if (!m_options.followsChildren) {
        m_nextDiscoveryNs = std::numeric_limits<std::int64_t>::max();
        return;
    }
    const std::int64_t begin = m_options.clock.monotonicNs();
    for (const std::int32_t pid : m_table.livePids())
        if (!m_tracked.contains(pid))
            adopt(pid, now);
    std::vector<std::int32_t> pids;
    for (const auto &[pid, process] : m_tracked)
        pids.push_back(pid);
    for (const std::int32_t pid : pids)
        discoverFrom(pid, now);
    const std::int64_t end = m_options.clock.monotonicNs();
    const std::int64_t tickMs = std::max<std::int64_t>(m_options.tick.ns / kNsPerMs, kLeastDiscoveryMs);
    m_discoveryIntervalMs
        = static_cast<int>(std::clamp<std::int64_t>((end - begin) * kCostShare / kNsPerMs, kLeastDiscoveryMs, tickMs));
    m_nextDiscoveryNs = end + m_discoveryIntervalMs * kNsPerMs;
}

void ProcInstrument::discoverFrom(std::int32_t pid, model::Timestamp now)
{
    std::vector<std::int32_t> parents{pid};
    while (!parents.empty()) {
        const std::int32_t parent = parents.back();
        parents.pop_back();
        for (const std::int32_t child : m_tracked.at(parent).sampler.children()) {
            if (!isRecorder(child) && !m_tracked.contains(child) && adopt(child, now))
                parents.push_back(child);
        }
    }
}

bool ProcInstrument::adopt(std::int32_t pid, model::Timestamp now)
{
    if (m_table.isHidden(pid, now))
        return false;
    auto sampler = ProcessSampler::open(m_options.procRoot, pid, m_tracked.size() < kMostKeptOpen);
    const auto stat = sampler ? sampler->stat() : std::nullopt;
    if (!stat)
        return false;
    if (const auto zombie = m_zombies.find(pid); zombie != m_zombies.end() && zombie->second == stat->startTicks)
        return false;
    const model::Timestamp start = startOf(*stat, now);
    TrackedProcess added{std::move(*sampler), {}, reportProcess(*stat, start, now), stat->startTicks};
    if (m_tracked.size() < kMostPidfds && !m_options.isFake())
        added.pidfd.reset(openPidfd(pid));
    added.image = imageMark(*stat);
    if (m_options.origin == RootOrigin::Running && start.ns <= 0)
        added.startFromHere(kMostThreadsRead);
    added.read(kMostThreadsRead);
    added.foundNs = m_options.clock.monotonicNs();
    m_wasTracked.resize(std::max(m_wasTracked.size(), added.id.index() + 1));
    m_wasTracked[added.id.index()] = true;
    const auto [it, isNew] = m_tracked.insert_or_assign(pid, std::move(added));
    if (isZombie(*stat)) {
        finish(pid, now);
        return false;
    }
    if (m_table.liveProcess(pid) != it->second.id) // Perf told its end already
        return true;
    const auto parent = m_tracked.find(stat->parentPid);
    if (it->second.image.isFork && parent != m_tracked.end())
        it->second.title = parent->second.title;
    reportFirstImage(it->second, *stat, start, now);
    reportThreads(it->second, timeNow(now)); // one may have begun since
    return true;
}

model::ProcessId ProcInstrument::reportProcess(const ProcStat &stat, model::Timestamp start, model::Timestamp now)
{
    const std::int32_t parentPid = m_tracked.contains(stat.parentPid) ? stat.parentPid : 0;
    if (const model::ProcessId known = m_table.lastProcess(stat.pid); known.isValid()) {
        const model::Process &row = m_table.tables().tables().processes[known.index()];
        // Start times of /proc are coarse: those of others are kept.
        if (start.ns <= row.start.ns + kStartSlackNs)
            return m_table.processSeen(stat.pid, parentPid, std::min(now, row.end.value_or(now)));
        if (!row.end)
            m_table.processEnded(stat.pid, start, std::nullopt); // unnoticed: this is another one with its pid
    }
    return m_table.processSeen(stat.pid, parentPid, start);
}

/// Whether somebody told already what the process runs.
bool ProcInstrument::isAnnounced(std::int32_t pid) const
{
    const model::ProgramTables &tables = m_table.tables().tables();
    const model::ImageId image = m_table.currentImage(pid);
    return image.isValid() && !tables.text(tables.images[image.index()].executable).empty();
}

void ProcInstrument::reportFirstImage(
    TrackedProcess &process, const ProcStat &stat, model::Timestamp start, model::Timestamp now)
{
    const auto &roots = m_options.roots;
    const bool isRoot = std::find(roots.begin(), roots.end(), stat.pid) != roots.end();
    const bool isRunning = m_options.origin == RootOrigin::Running && start.ns <= 0;
    if (isRoot && !isRunning && !isAnnounced(stat.pid))
        reportExec(process, start, model::ProcessSource::Launcher);
    // Of a fork the table knows what it runs, if it knows the parent; that of a daemon ended before anybody looked.
    const bool isKnownFork = process.image.isFork && (m_tracked.contains(stat.parentPid) || isAnnounced(stat.pid));
    if (isRoot || isRunning || !isKnownFork)
        reportExec(process, isRunning ? start : timeNow(now), model::ProcessSource::Proc);
    else
        correctFork(process);
}

/// Its parent may be known to have executed a program only from a moment on when it had forked this one already.
void ProcInstrument::correctFork(TrackedProcess &process)
{
    const std::int32_t pid = process.sampler.pid();
    const model::ProgramTables &tables = m_table.tables().tables();
    const model::ImageId id = m_table.currentImage(pid);
    const std::string executable = process.sampler.executable();
    if (id.isValid() && !executable.empty() && executable != tables.text(tables.images[id.index()].executable))
        m_table.forkSeen(pid, executable, process.sampler.commandLine());
}

model::Timestamp ProcInstrument::startOf(const ProcStat &stat, model::Timestamp now) const
{
    // The end of the clock tick in which it started: others know better, and can only move a start back.
    return {std::clamp<std::int64_t>(now.ns - m_options.clock.ageNs(stat.startTicks), 0, now.ns)};
}

void ProcInstrument::readAll(model::Timestamp now)
{
    readSystem();
    std::vector<std::int32_t> ended;
    for (auto &[pid, process] : m_tracked) {
        if (!readOne(process, now))
            ended.push_back(pid);
    }
    for (const std::int32_t pid : ended)
        finish(pid, now);
}

bool ProcInstrument::readOne(TrackedProcess &process, model::Timestamp now)
{
    const ImageMark before = process.image;
    if (!process.read(kMostThreadsRead))
        return false;
    // Perf tells an end before /proc shows it: what is told of the process after that would be taken for another one.
    if (m_table.liveProcess(process.sampler.pid()) != process.id)
        return true;
    const bool isExec = process.image.isFork != before.isFork || process.image.isKnown();
    if (process.image != before && isExec) {
        reportExec(process, timeNow(now), model::ProcessSource::Proc);
        process.nextSlowRead = 0;
        process.nextPartsNs = 0;
        process.hasMeasured = false;
    } else if (process.image == before && process.image.isComplete()) {
        readTitle(process);
    }
    reportThreads(process, timeNow(now));
    for (std::string &what : process.takeUnreadable())
        m_losses.push_back(
            {model::LossKind::MetricsUnreadable, m_table.currentImage(process.sampler.pid()), 1, std::move(what)});
    if (!readParts(process))
        readPss(process);
    const CgroupMemory &memory = memoryOf(process);
    setLimits(process);
    if (memory.limitBytes)
        process.levels.set(Metric::MemoryLimit, *memory.limitBytes);
    if (memory.currentBytes)
        process.levels.set(Metric::CgroupMemory, *memory.currentBytes);
    if (memory.pressureMilliPercent)
        process.levels.set(Metric::MemoryPressure, *memory.pressureMilliPercent);
    return true;
}

/// Limits beside that of the control group's memory. They are told each tick, so that a later reader finds them wherever it looks.
void ProcInstrument::setLimits(TrackedProcess &process)
{
    if (const auto limit = process.limits.addressSpaceBytes)
        process.levels.set(Metric::AddressLimit, *limit);
    if (const auto limit = process.limits.openFiles)
        process.levels.set(Metric::OpenFileLimit, *limit);
    std::optional<std::int64_t> threads = process.limits.userThreads;
    if (m_mostThreads)
        threads = std::min(threads.value_or(*m_mostThreads), *m_mostThreads);
    if (const auto own = process.levels.get(Metric::Threads); own && process.groupThreadsLeft)
        threads = std::min(threads.value_or(INT64_MAX), *own + *process.groupThreadsLeft);
    if (threads)
        process.levels.set(Metric::ThreadLimit, *threads);
    if (m_diskUse) {
        process.levels.set(Metric::DiskUsed, m_diskUse->usedBytes);
        process.levels.set(Metric::DiskSize, m_diskUse->usedBytes + m_diskUse->availableBytes);
    }
}

void ProcInstrument::readPss(TrackedProcess &process)
{
    const std::int64_t begin = m_options.clock.monotonicNs();
    if (begin < process.nextPssNs || m_table.isAnyHidden())
        return; // with a copy that was forked off to be read, all of its pages count half
    if (const auto pss = process.sampler.pssBytes())
        process.levels.set(Metric::Pss, *pss);
    const std::int64_t cost = m_options.clock.monotonicNs() - begin;
    // Above its share of the tick it is left out for as long as brings it back to that share.
    process.nextPssNs = cost * kCostShare > m_options.tick.ns ? begin + cost * kCostShare : 0;
}

/// Says what the resident memory is for: page by page as often as costs a third of a percent of a core (once a minute where one reading is
/// dear), and in between as the kernel's counters move. True if it has read the proportional share too.
bool ProcInstrument::readParts(TrackedProcess &process)
{
    const auto level = [&](Metric metric) { return process.levels.get(metric).value_or(0); };
    const ResidentLevels now{
        level(Metric::Rss), level(Metric::Anonymous), level(Metric::FileBacked), level(Metric::Shared)};
    process.hasParts = false;
    if (now.total <= 0)
        return false;
    const std::int64_t begin = m_options.clock.monotonicNs(), cpuBegin = threadCpuNs();
    const bool isDue = begin >= process.nextPartsNs;
    const auto text = isDue ? process.sampler.smaps() : std::nullopt;
    const std::vector<MappingUse> uses = text ? parseSmaps(*text) : std::vector<MappingUse>();
    model::MemoryPartsRow parts;
    if (!uses.empty()) {
        PageMap pages(process.sampler.speaker(), m_options.procRoot);
        const KnownMemory known = process.knownMemory(m_options.knownMemory);
        parts = residentParts(
            uses, known, [&](std::uint64_t from, std::uint64_t to) { return pages.residentBytes(from, to); });
    }
    const bool isRead = !uses.empty() && process.hasItsMemory(); // asked last: what was read before is whole then
    if (isRead) {
        process.parts = addedUp(parts, now.total);
        process.partsLevels = now;
        process.hasMeasured = true;
        std::int64_t pss = 0;
        for (const MappingUse &use : uses)
            pss += use.proportionalBytes;
        if (!m_table.isAnyHidden())
            process.levels.set(Metric::Pss, pss);
    } else if (process.hasMeasured) {
        process.parts = carriedOn(process.parts, process.partsLevels, now);
        process.partsLevels = now;
    }
    process.parts.process = process.id;
    process.hasParts = process.hasMeasured;
    // By its own CPU time: on a busy machine the clock would say more than it costs. What holds the target's mapping lock for long is rare.
    const std::int64_t cost = threadCpuNs() - cpuBegin;
    if (isDue)
        process.nextPartsNs = begin + (cost > kDearPartsNs ? kSlowPartsNs : cost * kPartsCostShare);
    return isRead;
}

const CgroupMemory &ProcInstrument::memoryOf(TrackedProcess &process)
{
    if (m_tickNumber >= process.nextSlowRead) {
        process.nextSlowRead = m_tickNumber + kSlowReadTicks;
        process.cgroupDirectory = m_cgroups.directoryOf(process.sampler.pid()).value_or(std::string());
        process.oldMemoryDirectory = m_cgroups.oldMemoryDirectoryOf(process.sampler.pid()).value_or(std::string());
        process.limits = process.sampler.limits();
        process.groupThreadsLeft = process.cgroupDirectory.empty()
            ? std::nullopt
            : threadsLeft(process.cgroupDirectory, m_cgroups.mountPoint());
        m_disk.look(process.sampler.speaker(), process.sampler.writtenFiles(kMostFilesSeen));
    }
    const auto [it, isNew] = m_cgroupMemory.try_emplace(process.cgroupDirectory + '\0' + process.oldMemoryDirectory);
    if (isNew && !process.cgroupDirectory.empty())
        it->second = readCgroupMemory(process.cgroupDirectory, m_cgroups.mountPoint());
    // A controller belongs to one version; pressure is told by version 2 alone, whoever has the controller.
    if (isNew && !it->second.currentBytes && !process.oldMemoryDirectory.empty()) {
        const auto pressure = it->second.pressureMilliPercent;
        it->second = readOldCgroupMemory(process.oldMemoryDirectory);
        it->second.pressureMilliPercent = pressure;
    }
    return it->second;
}

void ProcInstrument::readSystem()
{
    m_cgroupMemory.clear();
    const auto text = readProcFile(m_options.procRoot + "/meminfo");
    m_availableBytes = text ? kilobyteField(*text, "MemAvailable") : std::nullopt;
    if (m_tickNumber < m_nextDiskRead && m_diskUse)
        return;
    m_nextDiskRead = m_tickNumber + kSlowReadTicks;
    const auto threads = readProcFile(m_options.procRoot + "/sys/kernel/threads-max");
    m_mostThreads = threads ? parseNumber(*threads) : std::nullopt;
    m_diskUse = m_disk.use();
}

model::Timestamp ProcInstrument::timeNow(model::Timestamp now) const
{
    if (!m_options.originNs)
        return now;
    return {m_options.clock.monotonicNs() - *m_options.originNs};
}

void ProcInstrument::finish(std::int32_t pid, model::Timestamp now)
{
    const auto it = m_tracked.find(pid);
    if (it == m_tracked.end())
        return;
    it->second.read(kMostThreadsRead);
    // Another one may have its pid by now, which was told of sooner than this end was noticed.
    if (m_table.lastProcess(pid) == it->second.id)
        m_table.processEnded(pid, timeNow(now), std::nullopt);
    m_zombies.insert_or_assign(pid, it->second.startTicks);
    m_finished.push_back(std::move(it->second));
    m_tracked.erase(it);
}

void ProcInstrument::collect(model::Timestamp now, model::EventBatch &batch)
{
    discover(now);
    readAll(now);
    ++m_tickNumber;
    const std::int64_t tickNs = m_options.clock.monotonicNs();
    const std::int64_t elapsedNs = std::max<std::int64_t>(tickNs - m_lastTickNs, 1);
    m_lastTickNs = tickNs;
    const auto close = [&](TrackedProcess &process) {
        process.carryPartsOn(); // its memory may have been read again since its pages were
        if (!m_isPaused)
            appendRow(process, elapsedNs, batch);
        process.atTick = process.totals;
        process.levels = {};
        process.isNew = tickNs - process.foundNs < m_options.tick.ns;
        process.hasParts = false;
    };
    for (TrackedProcess &process : m_finished)
        close(process);
    m_finished.clear();
    for (auto &[pid, process] : m_tracked)
        close(process);
    std::erase_if(m_zombies, [&](const auto &zombie) { return !processState(zombie.first, m_options.procRoot); });
    countMissed();
    batch.losses.insert(batch.losses.end(), m_losses.begin(), m_losses.end());
    m_losses.clear();
    if (m_diskUse && m_diskUse->mountPoint != m_toldDisk)
        batch.disk = m_toldDisk = m_diskUse->mountPoint;
}

void ProcInstrument::countMissed()
{
    const auto &processes = m_table.tables().tables().processes;
    for (; m_checkedProcesses < processes.size(); ++m_checkedProcesses)
        m_untracked.emplace_back(m_checkedProcesses);
    m_wasTracked.resize(std::max(m_wasTracked.size(), processes.size()));
    std::int64_t missed = 0;
    std::erase_if(m_untracked, [&](model::ProcessId id) {
        const bool isMissed = !m_wasTracked[id.index()] && processes[id.index()].end;
        missed += isMissed ? 1 : 0;
        return m_wasTracked[id.index()] || isMissed;
    });
    if (missed > 0)
        m_losses.push_back({model::LossKind::ProcessesMissed, {}, missed, "they have no metrics"});
}

void ProcInstrument::appendRow(TrackedProcess &process, std::int64_t elapsedNs, model::EventBatch &batch) const
{
    model::MetricsRow row{process.id, process.levels};
    const ProcessTotals &now = process.totals;
    const ProcessTotals &before = process.atTick;
    const auto busy = [&](std::int64_t ticks) {
        // A share of one core: 1e5 thousandths of a percent.
        return perSecond(ticks * 100'000 / m_options.clock.ticksPerSecond, elapsedNs);
    };
    const auto rate = [&](Metric metric, std::int64_t ProcessTotals::*counter) {
        row.values.set(metric, perSecond(std::max<std::int64_t>(now.*counter - before.*counter, 0), elapsedNs));
    };
    row.values.set(Metric::CpuUser, busy(now.userTicks - before.userTicks));
    row.values.set(Metric::CpuSystem, busy(now.systemTicks - before.systemTicks));
    rate(Metric::MinorFaults, &ProcessTotals::minorFaults);
    rate(Metric::MajorFaults, &ProcessTotals::majorFaults);
    if (process.hasSwitches) {
        rate(Metric::VoluntarySwitches, &ProcessTotals::voluntarySwitches);
        rate(Metric::InvoluntarySwitches, &ProcessTotals::involuntarySwitches);
    }
    if (process.hasIo) {
        rate(Metric::ReadBytes, &ProcessTotals::readBytes);
        rate(Metric::WrittenBytes, &ProcessTotals::writtenBytes);
        rate(Metric::ReadCalls, &ProcessTotals::readCalls);
        rate(Metric::WriteCalls, &ProcessTotals::writeCalls);
    }
    if (m_availableBytes)
        row.values.set(Metric::SystemAvailable, *m_availableBytes);
    batch.metrics.push_back(row);
    if (process.hasParts)
        batch.memoryParts.push_back(process.parts);
}

void ProcInstrument::setPaused(bool paused)
{
    if (m_isPaused && !paused) { // what happened meanwhile is of no tick
        for (auto &[pid, process] : m_tracked)
            process.startFromHere(kMostThreadsRead);
        m_finished.clear();
        m_lastTickNs = m_options.clock.monotonicNs();
    }
    m_isPaused = paused;
}

} // namespace capture
