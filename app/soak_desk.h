// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/soak_growth.h"
#include "app/soak_loads.h"
#include "capture/recording/recording.h"
#include "model/analysis/soak_watch.h"
#include "model/session_info.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace app {

/// What a stability test begins or goes on with.
struct SoakStart
{
    model::SoakRecord record;            ///< the plan, and what earlier legs left
    bool goesOn = false;                 ///< the target is the process of the last leg
    std::vector<std::string> loads;      ///< as they are run
    std::vector<std::string> shownLoads; ///< as they are stored
    bool isQuiet = false;                ///< says what goes wrong only
};

/// Runs a stability test beside a recording: its watch, its load commands, and what is said about it. Capture thread.
class SoakDesk
{
public:
    using MessageHandler = std::function<void(const std::string &)>;

    SoakDesk(SoakStart start, const capture::InheritedState &inherited, MessageHandler onMessage);

    /// The target is known, and waits or runs. `path`: of the session; `mayRead`: another genprof can read it (it is not sealed). Returns what has to
    /// be stored before anything else.
    model::SoakRecord begin(std::int32_t pid, const model::SessionInfo &info, const std::string &path, bool mayRead);
    /// The target runs: starts the loads.
    void startLoads();
    /// Takes a tick in, adds what is to be stored, and looks after the loads.
    void see(model::EventBatch &batch, const model::ProgramTables &tables);
    /// Why the recording can end: the answer is sure, the time is over, or the loads have failed for good. None: it goes on.
    std::optional<capture::EndReason> endReason() const;
    /// The test has ended. Ends the loads; returns what is to be stored.
    model::SoakRecord finish(const capture::Recording &recording);

    /// "● 02:13:04 of 48:00:00  resident +1.2 % (-0.4 to 2.8)  …  undecided, not before 5 h 30 min".
    std::string statusLine() const;
    /// After finish(): "LEAKING. Resident memory: …", a line.
    const std::string &verdict() const { return m_verdict; }
    /// Whether finish() was called.
    bool hasEnded() const { return m_outcome != model::SoakOutcome::Running; }
    /// By the outcome: 0 stable, 1 leaking, 2 undecided, 3 the target or its load failed.
    int exitCode() const;

private:
    void askForStacks(model::Timestamp now);
    std::string targetProblem(const capture::Recording &recording) const;

    SoakStart m_start;
    SoakLoads m_loads;
    SoakGrowth m_growth;
    MessageHandler m_onMessage;
    std::optional<model::SoakWatch> m_watch;
    std::string m_path;
    bool m_asksForStacks = false;
    model::Timestamp m_nextQuestion;
    std::string m_saidSentence;
    std::int64_t m_saidNs = 0;
    bool m_isDecided = false;
    model::SoakAnswer m_answer; ///< of the last look
    std::string m_verdict;
    model::SoakOutcome m_outcome = model::SoakOutcome::Running;
};

/// Names a process for good: the kernel's boot_id, and when it started, in clock ticks after boot; 0 where there is no such process.
std::string bootId();
std::int64_t startTicksOf(std::int32_t pid);

/// What a soak exits with.
int soakExitCode(model::SoakOutcome outcome);

} // namespace app
