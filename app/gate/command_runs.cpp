// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/gate/command_runs.h"

#include "app/exit_code.h"
#include "app/program_paths.h"
#include "app/session_window.h"
#include "capture/target/target_process.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <poll.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <optional>

namespace app {

namespace {

std::string temporaryFolder()
{
    const char *base = std::getenv("TMPDIR");
    std::string pattern = std::string(base != nullptr && *base != 0 ? base : "/tmp") + "/genprof-gate-XXXXXX";
    return ::mkdtemp(pattern.data()) != nullptr ? pattern : std::string();
}

} // namespace

/// A command that ran to its end.
struct CommandRuns::Ended
{
    capture::TargetEnd end;
    RunTimes times;
    capture::RunCount instructions;
    capture::RunCount systemCalls;
};

model::Result<CommandRuns> CommandRuns::make(
    const capture::InheritedState &inherited, const std::string &sessions, CommandStreams wanted)
{
    CommandRuns runs(inherited);
    runs.m_folder = temporaryFolder();
    if (runs.m_folder.empty())
        return model::systemError(
            "Cannot make a folder for the recordings", errno, "set TMPDIR to one that can be written");
    runs.m_sessions = sessions.empty() ? runs.m_folder : sessions;
    std::error_code code;
    std::filesystem::create_directories(runs.m_sessions, code);
    if (code)
        return model::Error(fmt::format("Cannot make the folder {}: {}", runs.m_sessions, code.message()));
    if (wanted == CommandStreams::Ours)
        return runs;
    auto streams = QuietStreams::begin(runs.m_folder + "/messages");
    if (!streams)
        return streams.error();
    runs.m_streams = std::make_unique<QuietStreams>(std::move(*streams));
    return runs;
}

CommandRuns::CommandRuns(CommandRuns &&) noexcept = default;

CommandRuns::~CommandRuns()
{
    m_streams.reset();
    if (m_folder.empty())
        return;
    std::error_code code; // what cannot be removed stays in the folder for temporary files
    std::filesystem::remove_all(m_folder, code);
}

model::Result<CommandRuns::Ended> CommandRuns::run(
    const std::vector<std::string> &command, const std::vector<std::string> &shown)
{
    m_hasCommandFailed = false;
    if (m_streams)
        m_streams->clear();
    auto target = capture::TargetProcess::launch({command, {}, {}}, *m_inherited);
    if (!target)
        return target.error();
    const capture::RunCounters counters(target->pid());
    RunClock clock(target->pid());
    if (const auto failure = target->release()) {
        m_hasCommandFailed = failure->exitStatus != kExitRecorderFailed;
        return failure->error;
    }
    pollfd end{target->endDescriptor(), POLLIN, 0};
    clock.aboutToWait();
    while (::poll(&end, 1, -1) < 0 && errno == EINTR) { }
    clock.ended();
    while (target->look() != capture::TargetChange::Ended)
        ::poll(&end, 1, 1);
    const std::optional<capture::TargetEnd> ended = target->reap();
    if (!ended)
        return model::Error("The end of the command could not be read");
    const int status = exitCodeOf(ended->waitStatus);
    m_lastStatus = status;
    if (status == 0)
        return Ended{
            *ended, clock.times(ended->userNs + ended->systemNs), counters.instructions(), counters.systemCalls()};
    m_hasCommandFailed = true;
    const std::string messages = m_streams ? m_streams->lastMessages() : std::string();
    return model::Error(fmt::format(
        "{} ended with status {}{}{}", fmt::join(shown, " "), status, messages.empty() ? "" : ":\n", messages));
}

model::Result<PlainRun> CommandRuns::plain(const std::vector<std::string> &command)
{
    const auto ended = run(command, command);
    if (!ended)
        return ended.error();
    return PlainRun{ended->times, static_cast<double>(ended->end.userNs + ended->end.systemNs), ended->instructions,
        ended->systemCalls};
}

model::Result<std::shared_ptr<const model::Snapshot>> CommandRuns::record(
    std::vector<std::string> options, const std::vector<std::string> &command, const std::string &name)
{
    const std::string session = fmt::format("{}/{}.gprof-session", m_sessions, name);
    std::error_code code;
    std::filesystem::remove(session, code); // of an earlier gate in the same folder; record never overwrites
    std::vector<std::string> words{programDirectory() + "/genprof", "record", "-q", "-o", session, "--alerts", "off"};
    if (m_sessions == m_folder)
        words.emplace_back("--unlisted"); // it goes with the folder
    words.insert(words.end(), options.begin(), options.end());
    words.emplace_back("--");
    words.insert(words.end(), command.begin(), command.end());
    if (const auto ended = run(words, command); !ended) {
        if (m_lastStatus == kExitRecorderFailed && !std::filesystem::exists(session, code))
            m_hasCommandFailed = false; // the recorder never came to the command
        return ended.error();
    }
    return readWindow(session, {});
}

model::Result<std::shared_ptr<const model::Snapshot>> CommandRuns::recordHeap(
    const std::vector<std::string> &command, const std::string &name)
{
    std::vector<std::string> options{"--heap", "full", "--cpu", "off"};
    if (m_looksForLeaks)
        options.emplace_back("--scan-at-exit");
    return record(std::move(options), command, name);
}

model::Result<std::shared_ptr<const model::Snapshot>> CommandRuns::recordCpu(
    const std::vector<std::string> &command, const std::string &name, std::uint32_t hz)
{
    return record({"--heap", "off", "--cpu", std::to_string(hz)}, command, name);
}

model::Result<std::shared_ptr<const model::Snapshot>> CommandRuns::recordCalls(
    const std::vector<std::string> &command, const std::string &name)
{
    return record({"--heap", "off", "--cpu", "off", "--syscalls"}, command, name);
}

} // namespace app
