// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/perf/perf_event.h"
#include "capture/perf/perf_record.h"
#include "capture/perf/sample_rings.h"
#include "capture/perf/thread_openings.h"
#include "capture/proc/process_tree.h"
#include "model/base/result.h"

#include <cstddef>
#include <cstdint>
#include <set>
#include <utility>
#include <vector>

namespace capture {

/// The open sampling events of a recording, and the ring of each CPU that they write to. Capture thread only; the rings, once a RingReader looks after
/// them, through that alone.
class CpuEvents
{
public:
    /// One inherited event per CPU on a process that is stopped before its exec, which enables them: everything it then
    /// runs and starts is sampled.
    static model::Result<CpuEvents> openForLaunch(CpuEventOptions options, pid_t stoppedChild);

    /// Events for each thread of `pids` on each CPU, enabled at once, inherited by threads and processes they start; where children are
    /// followed, of all that descends from them too. Who starts meanwhile is found by scanning until nothing is new. Records that came
    /// meanwhile are in takeEarlyRecords(). A descendant that cannot be sampled is in leftOut().
    static model::Result<CpuEvents> openForAttach(CpuEventOptions options, const std::vector<pid_t> &pids);

    /// The rings; one per CPU.
    std::vector<PerfRing> &rings() { return m_rings.rings(); }
    /// What poll() may wait on. An event whose threads have all ended would always be ready: dropEnded() takes it out.
    const std::vector<int> &descriptors() const { return m_descriptors; }
    void dropEnded();

    const CpuEventSetup &setup() const { return m_setup; }
    std::size_t ringBytes() const { return m_rings.ringBytes(); }
    /// Reads what has come by now, while nobody reads the rings yet.
    void readEarlyRecords();
    std::vector<PerfRecord> takeEarlyRecords() { return std::exchange(m_early, {}); }
    /// The forks that those told of.
    const ThreadForks &forks() const { return m_forks; }
    /// Processes that were there before any record of them, each after its parent.
    std::vector<TreeProcess> earlierProcesses() const;
    const std::vector<LeftOutProcess> &leftOut() const { return m_leftOut; }
    /// What the kernel counted since the start, for all threads, those that ended too.
    struct Totals
    {
        std::uint64_t count = 0; ///< cycles, or nanoseconds in which the threads ran
        std::uint64_t lost = 0;  ///< records; 0 before Linux 6.0
    };
    Totals totals() const;
    std::size_t cpuCount() const { return m_cpus.size(); }

private:
    model::Result<void> prepare(CpuEventOptions options, pid_t thread);
    model::Result<void> openThread(pid_t thread, const std::vector<bool> &wanted);
    model::Result<void> attachOutput(std::size_t cpuIndex, int fd);
    struct NewThread
    {
        pid_t process, thread;
    };
    std::vector<NewThread> findNewThreads(const std::vector<pid_t> &pids);
    bool scanOnce(const std::vector<pid_t> &pids, bool isFirst, model::Result<void> &outcome);
    model::Result<void> openNewThread(const NewThread &fresh, const std::vector<pid_t> &pids);

    CpuEventOptions m_options;
    CpuEventSetup m_setup;
    std::vector<int> m_cpus;
    SampleRings m_rings; ///< parallel to m_cpus
    std::vector<PerfDescriptor> m_events;
    std::vector<int> m_descriptors;
    ThreadOpenings m_threads; ///< an event per CPU of m_cpus
    ThreadForks m_forks;
    std::vector<PerfRecord> m_early;
    std::vector<TreeProcess> m_processes; ///< all that were found by scanning
    std::set<pid_t> m_foundPids;
    std::vector<LeftOutProcess> m_leftOut;
};

/// The size of a CPU's ring that holds a quarter of a second of samples, within 64 KiB and 16 MiB (256 MiB for all CPUs).
std::size_t wantedRingBytes(const CpuEventOptions &options, std::size_t cpuCount);

/// The size that the rings of all CPUs can have here and now; 0: none, or there are no such events.
std::size_t grantedRingBytes(const CpuEventOptions &options);

} // namespace capture
