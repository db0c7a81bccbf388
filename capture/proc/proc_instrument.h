// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/heap/known_memory.h"
#include "capture/instrument.h"
#include "capture/proc/cgroup.h"
#include "capture/proc/proc_clock.h"
#include "capture/proc/tracked_process.h"
#include "capture/proc/written_disk.h"
#include "model/tables/process_table.h"

#include <unistd.h>

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace capture {

/// Whether the recorded processes were launched for the recording, or ran before it.
enum class RootOrigin : std::uint8_t { Launched, Running };

/// How a ProcInstrument reads.
struct ProcOptions
{
    std::vector<std::int32_t> roots;          ///< pids of the recorded trees
    bool followsChildren = true;              ///< else the roots alone are read
    RootOrigin origin = RootOrigin::Launched; ///< Running: what they used before is not counted
    model::Duration tick = model::Duration::fromMs(1000);
    /// CLOCK_MONOTONIC at Timestamp 0. With it, ends and execs get the time at which they were noticed: a recorder that is kept from
    /// running gets `now` long before. Without it they get `now`.
    std::optional<std::int64_t> originNs;
    /// What is known of a process's memory from inside it; may be empty.
    std::function<KnownMemory(std::int32_t pid)> knownMemory;
    std::string procRoot = "/proc";
    std::string cgroupRoot = "/sys/fs/cgroup";
    ProcClock clock = ProcClock::system();

    /// Whether `procRoot` is made up: its pids are not those of this system.
    bool isFake() const { return procRoot != "/proc"; }
};

/// Reads all metrics of the roots and of all that descends from them, at each tick; finds descendants by itself, and takes over
/// those that others reported to the ProcessTable. Tells the table of processes, execs, threads and ends that it sees. A
/// process that ends between two reads gives a last row with what its zombie still tells. Rates are means over the true length of
/// the tick.
class ProcInstrument : public Instrument
{
public:
    /// `table` outlives the instrument.
    ProcInstrument(ProcOptions options, model::ProcessTable &table);

    /// Reads everything for the first time: the base of the first rates. Call it as soon as the target runs, so that one which
    /// lives for some milliseconds only has been seen.
    void start(model::Timestamp now);

    std::vector<int> descriptors() const override; ///< pidfds: readable when a process ended
    int drainIntervalMs() const override;          ///< how often to look for new processes
    bool drain(model::Timestamp now) override;
    void collect(model::Timestamp now, model::EventBatch &batch) override;
    void setPaused(bool paused) override;

private:
    void discover(model::Timestamp now);
    /// It is a child of the target where it was attached to its own shell, and none of what is recorded.
    bool isRecorder(std::int32_t pid) const { return pid == ::getpid() && !m_options.isFake(); }
    void discoverFrom(std::int32_t pid, model::Timestamp now);
    bool adopt(std::int32_t pid, model::Timestamp now);
    model::ProcessId reportProcess(const ProcStat &stat, model::Timestamp start, model::Timestamp now);
    bool isAnnounced(std::int32_t pid) const;
    void reportFirstImage(TrackedProcess &process, const ProcStat &stat, model::Timestamp start, model::Timestamp now);
    void correctFork(TrackedProcess &process);
    void reportExec(TrackedProcess &process, model::Timestamp when, model::ProcessSource source);
    void readTitle(TrackedProcess &process);
    void nameUnreadable(const TrackedProcess &process, const std::string &started);
    void reportTitle(const TrackedProcess &process, const std::string &title);
    void reportThreads(TrackedProcess &process, model::Timestamp now);
    model::Timestamp startOf(const ProcStat &stat, model::Timestamp now) const;

    void readAll(model::Timestamp now);
    bool readOne(TrackedProcess &process, model::Timestamp now);
    void readPss(TrackedProcess &process);
    bool readParts(TrackedProcess &process);
    void readSystem();
    const CgroupMemory &memoryOf(TrackedProcess &process);
    void setLimits(TrackedProcess &process);
    model::Timestamp timeNow(model::Timestamp now) const;
    void finish(std::int32_t pid, model::Timestamp now);
    void countMissed();
    void appendRow(TrackedProcess &process, std::int64_t elapsedNs, model::EventBatch &batch) const;

    ProcOptions m_options;
    model::ProcessTable &m_table;
    CgroupFinder m_cgroups;
    std::map<std::int32_t, TrackedProcess> m_tracked; ///< live ones by pid
    std::vector<TrackedProcess> m_finished;           ///< ended since the last tick
    std::map<std::int32_t, std::int64_t> m_zombies;   ///< pid → startTicks of those done with that nobody reaped yet
    std::vector<bool> m_wasTracked;                   ///< by ProcessId
    std::size_t m_checkedProcesses = 0;               ///< of the table
    std::vector<model::ProcessId> m_untracked;        ///< of the table, neither tracked nor ended yet
    std::vector<model::Loss> m_losses;
    std::unordered_map<std::string, CgroupMemory> m_cgroupMemory; ///< by directories, of this tick
    std::optional<std::int64_t> m_availableBytes;
    WrittenDisk m_disk;
    std::optional<DiskUse> m_diskUse;
    std::optional<std::int64_t> m_mostThreads; ///< of the machine
    std::uint64_t m_nextDiskRead = 0;          ///< tick
    std::string m_toldDisk;
    std::int64_t m_lastTickNs = 0; ///< of the clock
    std::int64_t m_nextDiscoveryNs = 0;
    int m_discoveryIntervalMs = 20;
    bool m_isLookingAtNew = false;
    std::uint64_t m_tickNumber = 0;
    bool m_isPaused = false;
};

} // namespace capture
