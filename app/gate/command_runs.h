// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/gate/quiet_streams.h"
#include "app/gate/run_clock.h"
#include "capture/perf/run_counters.h"
#include "capture/target/inherited_state.h"
#include "model/snapshot.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace app {

/// One run of a command as it is, without a recorder.
struct PlainRun
{
    RunTimes times;
    double cpuNs = 0; ///< user and system, reaped children included
    capture::RunCount instructions;
    capture::RunCount systemCalls;
};

/// What becomes of what commands write, and what they may read.
enum class CommandStreams : std::uint8_t {
    Quiet, ///< see QuietStreams
    Ours,
};

/// Runs commands for the gate, plain or recorded, one after the other, in a folder of its own that goes with it. One thread.
class CommandRuns
{
public:
    /// `sessions`: folder in which recordings are kept, made if need be; empty: they go.
    static model::Result<CommandRuns> make(
        const capture::InheritedState &inherited, const std::string &sessions, CommandStreams streams);
    CommandRuns(CommandRuns &&) noexcept;
    CommandRuns &operator=(CommandRuns &&) = delete;
    ~CommandRuns();

    model::Result<PlainRun> plain(const std::vector<std::string> &command);

    /// Looks for lost memory as well, when a recorded command ends.
    void lookForLeaks() { m_looksForLeaks = true; }
    bool looksForLeaks() const { return m_looksForLeaks; }

    /// Records the heap in full under the name `name`.
    model::Result<std::shared_ptr<const model::Snapshot>> recordHeap(
        const std::vector<std::string> &command, const std::string &name);
    /// Samples the CPU.
    model::Result<std::shared_ptr<const model::Snapshot>> recordCpu(
        const std::vector<std::string> &command, const std::string &name, std::uint32_t hz);

    /// Records each system call.
    model::Result<std::shared_ptr<const model::Snapshot>> recordCalls(
        const std::vector<std::string> &command, const std::string &name);

    /// Whether what failed last was the command itself: it ended with another status than 0, or there is none.
    bool hasCommandFailed() const { return m_hasCommandFailed; }

    /// Says a line on our own standard error. Of quiet runs only.
    void say(const std::string &line) const { m_streams->say(line); }

private:
    explicit CommandRuns(const capture::InheritedState &inherited)
        : m_inherited(&inherited)
    {
    }
    struct Ended;
    model::Result<Ended> run(const std::vector<std::string> &command, const std::vector<std::string> &shown);
    model::Result<std::shared_ptr<const model::Snapshot>> record(
        std::vector<std::string> options, const std::vector<std::string> &command, const std::string &name);

    const capture::InheritedState *m_inherited;
    std::string m_folder;
    std::string m_sessions;
    std::unique_ptr<QuietStreams> m_streams; ///< null: commands have ours
    bool m_looksForLeaks = false;
    bool m_hasCommandFailed = false;
    int m_lastStatus = 0; ///< exit status of the command that ran last, of the recorder where one stood before it
};

} // namespace app
