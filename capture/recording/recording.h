// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/instrument.h"
#include "capture/recording/batch_queue.h"
#include "capture/recording/batch_sink.h"
#include "capture/recording/control_server.h"
#include "capture/recording/gap_tracker.h"
#include "capture/recording/recorder_usage.h"
#include "capture/recording/recording_status.h"
#include "capture/recording/scan_plan.h"
#include "capture/recording/signal_watch.h"
#include "capture/recording/tick_schedule.h"
#include "capture/scan/scan_source.h"
#include "capture/symbols/symbolizer.h"
#include "capture/target/target_process.h"
#include "model/session_info.h"
#include "model/tables/process_table.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace capture {

/// Why a recording ended.
enum class EndReason { TargetEnded, DurationReached, Interrupted, StoppedByControl, Decided, LoadFailed };

/// What becomes of signals that ask a recorder of a launched command to end. PassOn: the command gets them. End: the recording ends.
enum class SignalPolicy : std::uint8_t { PassOn, End };

/// The recording as such: drains the instruments, closes a tick at regular times, hands it to the sink, and listens to the target,
/// the signals and the control socket, until one of them ends it. All in the calling thread, the capture thread.
class Recording
{
public:
    /// What a recording works with; references outlive it.
    struct Parts
    {
        TargetProcess &target;
        SignalWatch &signals;
        BatchSink &sink;
        model::ProcessTable &processes;
        std::vector<std::unique_ptr<Instrument>> instruments;
        ScanSource *scans = nullptr;       ///< one of the instruments; none: memory cannot be scanned
        Symbolizer *symbolizer = nullptr;  ///< none: frames stay without names
        std::int64_t startMonotonicNs = 0; ///< CLOCK_MONOTONIC at Timestamp 0
        model::SessionInfo info;           ///< as it is stored already
        /// Sees each tick before it is stored, and may add alerts and marks to it; none: nobody looks.
        std::function<void(model::EventBatch &, const model::ProgramTables &)> watch = {};
        SignalPolicy signalPolicy = SignalPolicy::PassOn;
        bool outlivesTarget = false; ///< goes on until nothing runs any more of what the target started
    };
    /// Told after each tick; for a status line.
    using StatusHandler = std::function<void(const RecordingStatus &)>;
    /// Told a sentence that the user should read.
    using MessageHandler = std::function<void(const std::string &)>;

    Recording(Parts parts, StatusHandler onStatus, MessageHandler onMessage);
    ~Recording();

    /// Opens the control socket in `directory` and stores its address in the session.
    model::Result<void> listen(const std::string &directory);

    /// Does what a control client asks for; what listen() answers requests with.
    ControlReply handle(const ControlRequest &request);

    /// Records until the end; everything that was collected is written or, if the sink failed, named in a message.
    EndReason run();

    /// Lets run() end after this tick, for a reason that what watches the recording has.
    void stop(EndReason reason) { end(reason); }

    /// Stores rows that stand in no tick, now.
    model::Result<void> store(model::SoakRecord rows);

    /// Whether a signal asked it to end, whatever it ended by.
    bool wasInterrupted() const { return m_wasInterrupted; }
    /// After finish(): the end of the recording is not in the session.
    bool isIncomplete() const { return m_isIncomplete; }
    /// After finish(): nothing that was recorded is in the session.
    bool isEmpty() const { return m_info.unwritten && m_info.unwritten->from == model::Timestamp{}; }
    /// Whether there is a control socket; who reads the session may not know of it yet.
    bool isListening() const { return m_server.has_value(); }

    /// Gives up the instruments (tracers go dormant), so that the target runs on alone.
    void releaseInstruments();

    /// Waits until all frames have names, and writes these as they come. `onProgress` is told how many of how many are done. Ctrl-C ends it
    /// early: the rest stays without names. After run().
    void nameFunctions(const std::function<void(std::size_t done, std::size_t total)> &onProgress);

    /// Completes the session and says goodbye to control clients. After run().
    model::Result<void> finish();

    /// Waits until the launched target has ended, passing signals on to it, and collects it. A target that has been asked to end
    /// is killed if it has not done so after `killAfter`; empty if it has not ended 5 s later.
    std::optional<TargetEnd> waitForTarget(std::optional<model::Duration> killAfter);

    /// Notes that processes have ended which ran at the recording's end. Waits for those that are on their way out, 200 ms at most: what was
    /// killed together with the target has as much memory to give back. Before finish(), which stores it.
    void noteEnds();

    /// What is said about the session by now.
    const model::SessionInfo &info() const { return m_info; }

    const RecordingStatus &status() const { return m_status.status(); }

    /// Whether the target has ended, within the recording or after it.
    bool targetHasEnded() const { return m_targetEnded; }
    model::Timestamp now() const;

private:
    struct Source
    {
        std::unique_ptr<Instrument> instrument;
        model::Timestamp nextDrain;
        bool hasMore = false;
    };

    void wait();
    int waitTimeoutMs(model::Timestamp now) const;
    void takeSignals();
    void handleSignal(const ReceivedSignal &received);
    void passOn(const ReceivedSignal &received);
    void noteRecorderStop();
    void lookAtTarget();
    void goOnWithout();
    void endWithTheLast(model::Timestamp now);
    void collectTarget();
    void addTargetPeak(model::EventBatch &batch) const;
    void drainDue(model::Timestamp now);
    void drainAll();
    void runSchedule(model::Timestamp now);
    void look();
    void flush(std::int64_t missedTicks);
    void closeTick(std::int64_t missedTicks);
    void write(model::EventBatch batch);
    void noteUnwritten();
    model::Result<void> writeLateRows();
    bool takeLateSignals();
    void end(EndReason reason);
    void endIfDue(model::Timestamp now);
    std::string pause();
    std::string resume();
    std::string setHeapMode(const std::string &text);
    std::string askForScan(const ScanWish &wish);
    void runScans(model::Timestamp now);
    void beginScan(const ScanParameters &parameters);
    void scanEnds();
    void scanAgain();
    void answerScans(const std::string &error);
    void finishScans();
    void setState(model::SessionState state);

    TargetProcess &m_target;
    SignalWatch &m_signals;
    BatchSink &m_sink;
    model::ProcessTable &m_processes;
    Symbolizer *m_symbolizer;
    std::vector<Source> m_sources;
    std::int64_t m_startMonotonicNs;
    model::SessionInfo m_info;
    StatusHandler m_onStatus;
    MessageHandler m_onMessage;
    std::function<void(model::EventBatch &, const model::ProgramTables &)> m_watch;
    SignalPolicy m_signalPolicy;
    bool m_outlivesTarget;

    BatchQueue m_queue;
    TickSchedule m_schedule;
    GapTracker m_gaps;
    StatusKeeper m_status;
    std::optional<ControlServer> m_server;
    ScanSource *m_scans;
    ScanPlan m_scanPlan;
    std::uint32_t m_lastScan = 0;              ///< id of the last one that is stored
    std::uint32_t m_scanBefore = 0;            ///< and when the one that is under way was begun
    std::string m_scanError;                   ///< of the last try; told once
    bool m_scansAreAwaited = false;            ///< by a client
    std::optional<model::EventBatch> m_looked; ///< what the early looks of this tick collected
    std::vector<model::Mark> m_marks;
    model::Timestamp m_begin; ///< of run()
    model::Timestamp m_tickBegin;
    model::Timestamp m_lastAwake;
    model::ProcessId m_targetProcess;
    RecorderUsage m_usage;
    std::optional<model::Timestamp> m_interruptedAt;
    std::optional<model::Timestamp> m_nextLookForOthers; ///< once the target has ended, where the recording goes on
    std::optional<EndReason> m_end;
    std::int64_t m_targetPeakBytes = 0;   ///< resident at most, as far as it was seen
    std::optional<TargetEnd> m_targetEnd; ///< of a launched target that has ended
    bool m_targetEnded = false;
    bool m_wasInterrupted = false;
    bool m_writeFails = false;
    bool m_infoIsStored = true; ///< as it is now
    bool m_isIncomplete = false;
    std::vector<int> m_readable;
    std::vector<int> m_muted; ///< descriptors that only report a hang-up; looked at again after the next tick
};

/// How an end reads in the session: "command ended".
std::string_view endReasonText(EndReason reason, bool attached);

} // namespace capture
