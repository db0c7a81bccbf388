// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/target/inherited_state.h"

#include <string>
#include <utility>
#include <vector>

namespace capture {

/// What a launched child could not do.
enum class ChildStep : int { ChangeDirectory = 0, Exec = 1 };

/// What a child writes to its failure pipe before it ends.
struct ChildFailure
{
    ChildStep step = ChildStep::Exec;
    int errnoValue = 0;
};

/// All that a forked child needs up to its exec, laid out before the fork: the recorder may have threads by then, so between
/// fork and exec only async-signal-safe calls are allowed, and no memory can be allocated.
class ChildPlan
{
public:
    /// `environment` is set in addition to the recorder's own.
    ChildPlan(std::vector<std::string> command, std::string workingDirectory,
        const std::vector<std::pair<std::string, std::string>> &environment);
    ChildPlan(const ChildPlan &) = delete;
    ChildPlan &operator=(const ChildPlan &) = delete;

    /// Runs in the child: waits for a byte from `barrier`, then execs. Reports a failure to `failurePipe`, and ends without a word if the
    /// other end of `barrier` is closed first (the recorder died).
    [[noreturn]] void run(const InheritedState &inherited, int barrier, int failurePipe);

private:
    int execFirstCandidate();

    std::vector<std::string> m_command;
    std::string m_workingDirectory;
    std::vector<std::string> m_environment;
    std::vector<std::string> m_candidates;
    std::vector<char *> m_arguments;      ///< null-terminated
    std::vector<char *> m_shellArguments; ///< "/bin/sh", (candidate), arguments…; for scripts without "#!"
    std::vector<char *> m_variables;      ///< null-terminated
};

} // namespace capture
