// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/file_descriptor.h"
#include "capture/target/inherited_state.h"
#include "model/base/result.h"

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace capture {

/// A command to be launched under a recorder.
struct LaunchRequest
{
    std::vector<std::string> command; ///< program and arguments; the program is searched in PATH as a shell does
    std::string workingDirectory;     ///< empty: the recorder's own
    std::vector<std::pair<std::string, std::string>> environment; ///< set in addition to the recorder's own
};

/// Why a command did not start, and the status to exit with, as shells and env(1) have it: 127 not found, 126 found but
/// not executable, 125 a failure of our own.
struct LaunchFailure
{
    model::Error error;
    int exitStatus = 125;
};

/// What a look at a target showed since the last one.
enum class TargetChange : std::uint8_t {
    None,
    Stopped,   ///< by a signal: nothing of it runs
    Continued, ///< after having been stopped
    Ended,     ///< for good; a launched one is a zombie until `reap`
};

/// How a launched target ended and what it used, as the kernel accounted it (its reaped children included).
struct TargetEnd
{
    int waitStatus = 0; ///< as waitpid gives it
    std::int64_t maxRssBytes = 0;
    bool isMaxOfProgram = false; ///< that is more than it can have been before the exec, as a copy of the recorder
    std::int64_t userNs = 0;
    std::int64_t systemNs = 0;
};

/// The root process of a recording: a launched command or a running process. Needs Linux 5.3 (pidfd). One owning thread.
/// Destroying it leaves the process alone, but for one that was never released: that one ends.
class TargetProcess
{
public:
    /// Forks a child that waits before its exec, so that instruments can be set up on its pid; `release` lets it go on. The
    /// child stays in the recorder's process group and session, and keeps its stdin, stdout and stderr.
    static model::Result<TargetProcess> launch(const LaunchRequest &request, const InheritedState &inherited);

    /// A process that runs already.
    static model::Result<TargetProcess> attach(std::int32_t pid);

    TargetProcess(TargetProcess &&) noexcept = default;
    TargetProcess &operator=(TargetProcess &&) noexcept = default;
    ~TargetProcess();

    /// Lets a launched child exec and waits until it has, or has failed. After a failure the child is reaped. Once only.
    std::optional<LaunchFailure> release();

    std::int32_t pid() const { return m_pid; }
    bool isLaunched() const { return m_isLaunched; }

    /// Becomes readable when the process ends. Stops are not to be seen here: `look` at intervals.
    int endDescriptor() const { return m_pidfd.get(); }

    /// What changed since the last look. Never blocks; never reaps, so that /proc can still be read after `Ended`.
    TargetChange look();

    /// Collects a launched target after `Ended`; empty before that and for an attached one (only a parent learns the status).
    std::optional<TargetEnd> reap();

    /// Sends a signal to this very process, never to a later one with its pid.
    model::Result<void> sendSignal(int signal);

private:
    TargetProcess() = default;
    LaunchFailure launchFailure(int failedStep, int errnoValue) const;

    std::int32_t m_pid = 0;
    std::int64_t m_mostBeforeExec = 0; ///< bytes resident, of a launched one; 0: not known
    bool m_isLaunched = false;
    bool m_isStopped = false;
    bool m_hasEnded = false;
    std::string m_program;
    std::string m_workingDirectory;
    FileDescriptor m_pidfd;
    FileDescriptor m_barrier; ///< the child waits for a byte from here; open until `release`
    FileDescriptor m_failure; ///< the child reports what failed; closed by a successful exec
};

/// Sends a signal to the process that has this pid and began by then (CLOCK_MONOTONIC): a later one with its number is left alone.
void sendSignalTo(std::int32_t pid, std::int64_t beganByNs, int signal);

} // namespace capture
