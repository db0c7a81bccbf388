// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/perf/perf_event.h"
#include "capture/perf/perf_ring.h"
#include "capture/perf/thread_openings.h"
#include "capture/perf/trace_record.h"
#include "model/base/result.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

namespace capture {

/// What is traced beside CPU samples.
struct TraceOptions
{
    bool calls = false;               ///< each system call
    bool waits = false;               ///< each span in which a thread does not run
    bool followsChildren = true;      ///< as in CpuEventOptions
    std::uint32_t stackBytes = 16384; ///< user stack copied with a call or switch
};

/// When tracing begins: at once, or when a stopped child executes its program.
enum class TraceStart : std::uint8_t { Now, AtExec };

/// The open events that tell of system calls and switches, and their rings; apart from those of the CPU samples, so that a flood of calls
/// loses no samples. Of each call and switch there is a short record in one ring, and its stack in another, much smaller one: what finds no
/// room there costs next to nothing, so that the speed at which stacks are read bounds what copying them costs. Capture thread only.
class TraceEvents
{
public:
    /// Opens what `options` asks for on stopped children, on each CPU, inherited by what they start; enabled by their exec. What the machine
    /// does not grant is left out, and told in note(); fails where nothing is left.
    static model::Result<TraceEvents> openAtExec(const TraceOptions &options, const std::vector<pid_t> &pids);
    /// Tells which forks have been seen by now.
    using ReadForks = std::function<const ThreadForks &()>;
    /// The same for running processes, from now on, with threads that start meanwhile; where children are followed, for all that descends from
    /// them too. note() names descendants that cannot be traced. `readForks` tells of all forks from before the call on.
    static model::Result<TraceEvents> openRunning(
        const TraceOptions &options, const std::vector<pid_t> &pids, const ReadForks &readForks);

    /// One per CPU: the short records; the stacks of calls; those of switches, which say why as well.
    std::vector<PerfRing> &rings() { return m_records.rings; }
    std::vector<PerfRing> &callStackRings() { return m_callStacks.rings; }
    std::vector<PerfRing> &switchStackRings() { return m_switchStacks.rings; }
    const std::vector<int> &descriptors() const { return m_descriptors; }
    /// Takes out of descriptors() what would always be ready, as all its threads have ended.
    void dropEnded();
    std::size_t ringBytes() const { return m_records.bytes; }
    std::size_t stackRingBytes() const { return m_callStacks.bytes; }

    /// Which event a record is of.
    TraceRecordKind kindOf(std::uint64_t id) const;

    bool hasCalls() const { return m_hasCalls; }
    bool hasWaits() const { return m_hasWaits; }
    bool hasSwitchPlaces() const { return m_hasSwitchPlaces; }

    /// Turns the records of calls, or the copying of their stacks, off and on again, in all threads.
    void setCallsEnabled(bool isEnabled);
    void setCallStacksEnabled(bool isEnabled);

    struct CallCount
    {
        std::int64_t calls = 0;
        std::uint64_t timeNs
            = 0; ///< as in the records: when the last counter had been read; of calls just before some may be missing
    };
    /// System calls since the start, of all threads, recorded or not; none where calls are not traced.
    CallCount callCount() const;
    /// Short records that found no room; none before Linux 6.0, where only lost records tell.
    std::optional<std::uint64_t> lostCount() const;

    /// What is missing and how to get it, as sentences; empty when nothing is.
    const std::string &note() const { return m_note; }

private:
    struct Event
    {
        TraceRecordKind kind;
        PerfDescriptor descriptor;
    };
    model::Result<void> openThread(
        const TraceOptions &options, pid_t thread, TraceStart start, const std::vector<bool> &wanted);
    model::Result<void> openCounter(const TraceOptions &options, pid_t thread, TraceStart start);
    struct RunningScan;
    model::Result<bool> scanOnce(RunningScan &scan);
    perf_event_attr attributesOf(TraceRecordKind kind, const TraceOptions &options, TraceStart start) const;
    model::Result<void> openEvent(
        const TraceOptions &options, TraceRecordKind kind, pid_t thread, std::size_t cpuIndex, TraceStart start);
    model::Result<void> prepare(const TraceOptions &options);
    struct Rings
    {
        std::vector<PerfRing> rings; ///< parallel to m_cpus
        std::vector<int> owners;     ///< the event each was mapped from, −1 while there is none
        std::size_t bytes = 0;
    };
    void setEnabled(TraceRecordKind kind, bool isEnabled);
    Rings &ringsOf(TraceRecordKind kind);
    model::Result<void> joinRing(Rings &rings, std::size_t cpuIndex, int fd);

    std::vector<int> m_cpus;
    std::vector<TraceRecordKind> m_perCpu; ///< the events of each thread on each CPU
    ThreadOpenings m_threads;              ///< those, and one more that counts
    Rings m_records, m_callStacks, m_switchStacks;
    std::vector<int> m_descriptors;
    std::vector<Event> m_events;
    std::vector<PerfDescriptor> m_counters; ///< of calls
    std::unordered_map<std::uint64_t, TraceRecordKind> m_kinds;
    std::uint64_t m_enterTracepoint = 0, m_exitTracepoint = 0;
    std::string m_note;
    bool m_hasCalls = false, m_hasWaits = false, m_hasSwitchPlaces = false, m_hasLostCount = true,
         m_hasInheritThread = true;
};

/// Whether this machine grants each of them to the calling thread; empty if it does, else why not and what to do.
struct TraceRights
{
    std::string calls;        ///< why system calls cannot be recorded
    std::string switchPlaces; ///< why waits have no stacks
    std::string waits;        ///< why waits cannot be recorded at all
};
TraceRights probeTraceRights();

} // namespace capture
