// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/instrument.h"
#include "capture/perf/activity_trace.h"
#include "capture/perf/code_files.h"
#include "capture/perf/cpu_events.h"
#include "capture/perf/frame_namer.h"
#include "capture/perf/ring_reader.h"
#include "capture/perf/sample_sorter.h"
#include "capture/perf/sample_unwinder.h"
#include "capture/perf/target_processes.h"
#include "capture/proc/stolen_time.h"
#include "model/tables/process_table.h"

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace capture {

/// Samples where the threads of a process tree spend CPU time, through perf_event_open.
///
/// The kernel copies each sample's user stack into a ring per CPU; here it is unwound at once, and only the node of its
/// stack and a count are kept. Samples in the kernel carry its functions above the user frames that called it.
/// Where asked for, system calls and waits of the same threads are recorded beside them, or instead.
class CpuInstrument final : public Instrument
{
public:
    /// Samples what the stopped child will exec and all that it starts. Nothing is sampled until that exec. `originNs` is
    /// CLOCK_MONOTONIC at Timestamp 0; `processes` outlives the instrument.
    static model::Result<std::unique_ptr<CpuInstrument>> launch(
        const CpuEventOptions &options, pid_t stoppedChild, model::ProcessTable &processes, std::int64_t originNs);

    /// Records system calls and waits too, of the same threads: call it before the child's exec. What is not granted is in the outcome's
    /// sentence, empty when nothing is missing; fails where nothing is granted.
    model::Result<std::string> traceActivity(TraceOptions options, const std::vector<pid_t> &pids, TraceStart start);

    /// Samples running processes, from now on, and what they start; where children are followed, those that they have too. `now` is the time
    /// on the recording's clock.
    static model::Result<std::unique_ptr<CpuInstrument>> attach(const CpuEventOptions &options,
        const std::vector<pid_t> &pids, model::ProcessTable &processes, std::int64_t originNs, model::Timestamp now);

    std::vector<int> descriptors() const override;
    int drainIntervalMs() const override;
    bool drain(model::Timestamp now) override;
    void collect(model::Timestamp now, model::EventBatch &batch) override;
    void setPaused(bool paused) override;

    /// What drives the samples: "cycles" or "cpu-clock".
    std::string event() const { return cpuEventName(m_events.setup().event); }
    /// What this machine does not allow, as a sentence; empty if it allows all.
    std::string note() const { return cpuEventNote(m_events.setup()); }
    /// Descendants of what was attached to that cannot be sampled.
    const std::vector<LeftOutProcess> &leftOut() const { return m_events.leftOut(); }
    /// Bytes of each CPU's ring.
    std::size_t ringBytes() const { return m_events.ringBytes(); }

private:
    struct SampleKey
    {
        model::ThreadId thread;
        model::ImageId image;
        model::StackId stack;
        bool operator==(const SampleKey &) const = default;
    };
    struct SampleKeyHash
    {
        std::size_t operator()(const SampleKey &key) const noexcept;
    };
    using LossCounts = std::array<std::int64_t, model::kLossKindCount>;

    CpuInstrument(
        CpuEvents events, const CpuEventOptions &options, model::ProcessTable &processes, std::int64_t originNs);

    int ringQuarterMs() const;
    bool readRings(std::size_t mostBytesPerRing);
    enum class ActivityRead : std::uint8_t { Some, All };
    bool readActivity(ActivityRead how, model::Timestamp now);
    void add(PerfRecord record);
    void handle(PerfRecord &record);
    void sample(const PerfRecord &record, const PerfSample &content);
    model::StackId stackOf(const PerfRecord &record, const PerfSample &content, model::ImageId image);
    model::StackId userStackOf(
        const PerfRecord &record, const PerfSample &content, model::ImageId image, LossCounts &losses);
    bool handleActivity(PerfRecord &record);
    model::StackId stackAt(const PerfRecord &record, std::uint64_t pc);
    void stackCopied(const PerfRecord &record, const CopiedUserStack &copied);
    ActivityOwner ownerOf(const PerfRecord &record);
    static void countEnd(model::StackEnd end, LossCounts &losses);
    /// `totals` from before the rings were read.
    void collectLosses(const CpuEvents::Totals &totals, model::EventBatch &batch);
    /// Samples due for time in which threads ran that were not taken, since the start. A timer begins anew with each thread.
    std::uint64_t missedSamples(std::uint64_t count);

    CpuEvents m_events;
    RingReader m_reader; ///< of its rings
    CpuEventOptions m_options;
    model::ProcessTable &m_processTable;
    std::int64_t m_originNs;
    std::vector<pid_t> m_onlyPids; ///< records of others are left out; empty: of nobody
    CodeFiles m_files;
    TargetProcesses m_targets;
    SampleUnwinder m_unwinder;
    FrameNamer m_namer;
    SampleSorter m_sorter;
    std::vector<SampleFrame> m_frames;                                    ///< of the sample at hand
    std::unordered_map<SampleKey, std::int64_t, SampleKeyHash> m_samples; ///< of this tick
    std::unordered_map<model::ImageId, LossCounts> m_losses;              ///< of this tick; the invalid image: of none
    std::unordered_map<model::ImageId, LossCounts> m_activityLosses;      ///< the same for system calls and waits
    std::unique_ptr<ActivityTrace> m_activity;                            ///< null: not asked for
    std::uint64_t m_lostInRecords = 0, m_lostReported = 0;
    std::uint64_t m_hiddenForks
        = 0; ///< of processes that are no part of the session: ended between two samples, like as not
    std::uint64_t m_samplesTaken = 0, m_periodsTaken = 0; ///< as far as rings were read, and the sum of their periods
    StolenTime m_stolenTime;
    double m_inexact = 0; ///< of what was counted, what no sample is missing for: see missedSamples()
    std::uint64_t m_countBefore = 0;
    std::uint64_t m_missedReported = 0;
    std::uint64_t m_readCount = 0;
    bool m_isPaused = false;
};

} // namespace capture
