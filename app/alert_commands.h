// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/base/result.h"
#include "model/base/units.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace app {

/// Runs what alerts start, beside the recording: nothing here waits, and a command that runs on is killed after its time. One thread.
class AlertCommands
{
public:
    /// How long a command may run.
    static constexpr model::Duration kTimeLimit = model::Duration::fromMs(30'000);
    /// What runs a command that is one text, given as {kShell, "-c", text}. It is named by its alert: the text may
    /// hold tokens, and what is said goes to logs.
    static constexpr const char *kShell = "/bin/sh";
    /// How many may run at once.
    static constexpr std::size_t kMost = 8;

    AlertCommands() = default;
    AlertCommands(const AlertCommands &) = delete;
    AlertCommands &operator=(const AlertCommands &) = delete;
    /// Kills what still runs.
    ~AlertCommands();

    /// Starts a program, found in PATH, in a process group of its own, with stdin from /dev/null and stdout on our stderr. `variables` go
    /// into its environment. Fails, with a sentence, when it cannot be started or too many run.
    model::Result<void> start(
        const std::vector<std::string> &arguments, const std::vector<std::pair<std::string, std::string>> &variables);

    /// Collects what has ended and kills what is late. A sentence for each that failed or was killed.
    std::vector<std::string> look();

    /// Gives what runs up to `most` to end; then as look().
    std::vector<std::string> finish(model::Duration most);

    std::size_t runningCount() const { return m_running.size(); }

private:
    struct Running
    {
        std::int32_t pid = 0;
        std::string name;
        std::int64_t deadlineNs = 0; ///< CLOCK_MONOTONIC
        bool isKilled = false;
    };

    std::vector<Running> m_running;
};

} // namespace app
