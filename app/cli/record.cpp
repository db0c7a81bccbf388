// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/record.h"

#include "app/alert_desk.h"
#include "app/closing_lines.h"
#include "app/duration_text.h"
#include "app/exit_code.h"
#include "app/recording_info.h"
#include "app/recording_instruments.h"
#include "app/running_processes.h"
#include "app/serve/serving.h"
#include "app/session_name.h"
#include "app/session_sink.h"
#include "app/soak_desk.h"
#include "app/status_line.h"
#include "app/terminal.h"
#include "capture/recording/dead_sockets.h"
#include "capture/recording/recording.h"
#include "model/analysis/verdict_lines.h"
#include "model/base/format_units.h"
#include "storage/session_catalog.h"
#include "storage/session_folder.h"
#include "storage/session_reader.h"

#include <fmt/format.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <new>
#include <optional>
#include <system_error>
#include <utility>

namespace app {

namespace {

constexpr model::Duration kPatience = model::Duration::fromMs(5000); ///< with what was asked to end
constexpr model::Duration kLeastForVerdicts = model::Duration::fromMs(60'000);

/// Which file stands at a path.
std::optional<std::pair<dev_t, ino_t>> fileAt(const std::string &path)
{
    struct stat status = {};
    if (::stat(path.c_str(), &status) != 0)
        return std::nullopt;
    return std::pair(status.st_dev, status.st_ino);
}

/// Where sockets of this user's recorders are.
model::Result<std::string> socketFolder()
{
    const char *runtime = std::getenv("XDG_RUNTIME_DIR");
    return capture::controlDirectory(runtime ? runtime : "");
}

/// One run of `genprof record` or `genprof attach`, step by step.
class RecordRun
{
public:
    RecordRun(const RecordOptions &options, const capture::InheritedState &inherited, SoakDesk *soak)
        : m_options(options)
        , m_inherited(inherited)
        , m_soak(soak)
        , m_terminal(options.isQuiet)
        , m_processes(m_tables)
    {
    }

    int run();

private:
    int runWhole();
    int abandon(const std::string &why);
    int fail(const std::string &text, int exitCode)
    {
        m_terminal.message(text);
        return exitCode;
    }
    int giveUp(const std::string &text, int exitCode);
    model::Result<void> makeKey();
    model::Result<void> openSession();
    model::Result<void> openTarget();
    std::optional<capture::LaunchFailure> startTarget();
    void openControl();
    model::Result<void> beginSoak();
    void endSoak();
    void seeTick(model::EventBatch &batch, const model::ProgramTables &tables);
    void lookForFile();
    void openService();
    void sayThatItGoesOn();
    void endAll(std::vector<std::int32_t> pids);
    void waitForEnds();
    void sayWhatGoesOn(capture::EndReason reason);
    void nameFunctions();
    void complete();
    void remember();
    void storeVerdicts();
    int waitForTarget();

    const RecordOptions &m_options;
    const capture::InheritedState &m_inherited;
    SoakDesk *m_soak;
    Terminal m_terminal;
    std::int64_t m_beginNs = 0; ///< CLOCK_MONOTONIC
    model::TableBuilder m_tables;
    model::ProcessTable m_processes;
    std::optional<RecordingInstruments> m_instruments;
    std::optional<capture::SignalWatch> m_signals;
    std::optional<capture::TargetProcess> m_target;
    std::string m_path;
    std::optional<std::pair<dev_t, ino_t>> m_file; ///< that stands there; none once it was gone
    model::SessionInfo m_info;
    std::optional<SessionSink> m_sink;
    capture::Symbolizer m_symbolizer;
    AlertConfig m_alertConfig;
    std::optional<AlertDesk> m_alerts;
    std::optional<capture::Recording> m_recording;
    storage::SealKeyPointer m_key;
    std::optional<HttpServer> m_service;
    bool m_isTargetRunning = false;
    bool m_saidThatItGoesOn = false;
    ProcessEnder m_ender;
};

/// The key of a sealed session. It comes before signals are taken from the terminal: whoever is asked for a passphrase may press Ctrl-C.
model::Result<void> RecordRun::makeKey()
{
    if (!m_options.isSealed)
        return {};
    auto made = newSealKey(m_options.passphrase);
    if (!made)
        return made.error();
    m_key = std::move(*made);
    return {};
}

/// Makes the file. It comes first, because it takes longest: nothing slow may lie between the begin of time and the target's.
model::Result<void> RecordRun::openSession()
{
    m_path = m_options.output.empty() ? freeSessionName(m_options.config) : m_options.output;
    m_info = describeRecording(m_options.config, RecordingStart::now());
    if (!m_options.keepsSecrets) {
        auto patterns = secretPatterns(m_options.secretPatterns);
        if (!patterns)
            return patterns.error();
        m_info.config.command = patterns->redacted(m_info.config.command);
        m_processes.setCommandLineFilter(
            [patterns = std::move(*patterns)](std::string_view text) { return patterns.redacted(text); });
    }
    auto writer = storage::SessionWriter::create(m_path, m_info, m_key);
    if (!writer)
        return writer.error();
    m_sink.emplace(std::move(*writer));
    m_file = fileAt(m_path);
    return {};
}

/// Begins the recording's time, and opens the target and all that looks at it. A launched target still waits.
model::Result<void> RecordRun::openTarget()
{
    const model::CaptureConfig &config = m_options.config;
    const RecordingStart start = RecordingStart::now();
    m_info.startWallNs = start.wallNs;
    m_beginNs = start.monotonicNs;
    m_instruments.emplace(config, m_processes, start.monotonicNs);
    if (const auto folder = socketFolder())
        m_instruments->setSocketFolder(*folder);
    if (m_options.scansAtExit)
        m_instruments->scanAtExit();
    auto target = config.attachPid
        ? capture::TargetProcess::attach(*config.attachPid)
        : capture::TargetProcess::launch(
            {config.command, config.workingDirectory, m_instruments->prepareLaunch()}, m_inherited);
    if (!target)
        return target.error();
    m_target.emplace(std::move(*target));
    m_instruments->open(*m_target, m_info);
    m_alerts.emplace(
        m_alertConfig, m_info.cpuCount, m_path, [this](const std::string &text) { m_terminal.message(text); });
    m_recording.emplace(
        capture::Recording::Parts{*m_target, *m_signals, *m_sink, m_processes, m_instruments->take(),
            m_instruments->scans(), &m_symbolizer, start.monotonicNs, m_info,
            [this](model::EventBatch &batch, const model::ProgramTables &tables) { seeTick(batch, tables); },
            m_soak ? capture::SignalPolicy::End : capture::SignalPolicy::PassOn, m_options.untilAllEnd},
        [this](const capture::RecordingStatus &status) {
            m_terminal.showStatus(m_soak ? m_soak->statusLine() : statusLine(status, Terminal::statusColumns()));
        },
        [this](const std::string &text) { m_terminal.message(text); });
    return {};
}

/// What was moved or deleted is written on by its descriptor, and written anew where it was at the end. Said once.
void RecordRun::lookForFile()
{
    if (!m_file || fileAt(m_path) == m_file)
        return;
    m_file.reset();
    m_terminal.message(
        fmt::format("The session {} was moved or deleted while it is recorded: nobody can look at it until the "
                    "recording ends, when it is written there again",
            m_path));
}

void RecordRun::seeTick(model::EventBatch &batch, const model::ProgramTables &tables)
{
    lookForFile();
    m_alerts->see(batch, tables);
    sayThatItGoesOn();
    if (!m_soak)
        return;
    m_soak->see(batch, tables);
    if (const auto reason = m_soak->endReason())
        m_recording->stop(*reason);
}

/// What a test left before this leg stands in the file before the target runs.
model::Result<void> RecordRun::beginSoak()
{
    if (!m_soak)
        return {};
    return m_recording->store(m_soak->begin(m_target->pid(), m_info, m_path, !m_options.isSealed));
}

void RecordRun::endSoak()
{
    if (!m_soak)
        return;
    if (const auto stored = m_recording->store(m_soak->finish(*m_recording)); !stored)
        m_terminal.message(stored.error().text());
}

/// Lets a launched command run, and looks at the target for the first time.
std::optional<capture::LaunchFailure> RecordRun::startTarget()
{
    auto failure = m_target->isLaunched() ? m_target->release() : std::nullopt;
    m_isTargetRunning = !failure;
    if (!failure)
        m_instruments->targetStarted(m_recording->now());
    return failure;
}

void RecordRun::openControl()
{
    const auto directory = socketFolder();
    if (directory)
        capture::removeDeadSockets(*directory);
    const auto listening = directory ? m_recording->listen(*directory) : model::Result<void>(directory.error());
    if (!listening)
        m_terminal.message(listening.error().text()
            + (m_recording->isListening() ? ". This recording can be controlled once its file can be written"
                                          : ". This recording cannot be controlled from outside"));
}

/// Serves the session over HTTP where that was asked for. What was asked for is possible (checkServing); a port that is taken is no reason to disturb
/// a recording.
void RecordRun::openService()
{
    if (!m_options.serve)
        return;
    auto server = startServing(m_path, m_key, *m_options.serve, [this](const std::string &text) {
        if (!m_options.isQuiet)
            m_terminal.message(text);
    });
    if (server)
        m_service.emplace(std::move(*server));
    else
        m_terminal.message(server.error().text() + ". This recording is not served");
}

/// Leaves nothing behind of a recording that did not begin.
int RecordRun::giveUp(const std::string &text, int exitCode)
{
    m_recording.reset();
    m_sink.reset();
    removeSession(m_path);
    return fail(text, exitCode);
}

/// Where the recording outlives the command.
void RecordRun::sayThatItGoesOn()
{
    if (!m_options.untilAllEnd || m_options.isQuiet || m_saidThatItGoesOn || !m_recording->targetHasEnded())
        return;
    const std::vector<std::int32_t> pids = runningPids(m_processes);
    m_saidThatItGoesOn = !pids.empty();
    if (!m_saidThatItGoesOn)
        return;
    m_terminal.message(fmt::format("The {} has ended; the recording goes on with {} (Ctrl-C ends it)",
        m_options.config.attachPid ? "process" : "command", processListText(pids, m_processes, m_tables.tables())));
}

/// Asks the command to end, and what it started.
void RecordRun::endAll(std::vector<std::int32_t> pids)
{
    if (const auto sent = m_target->sendSignal(SIGTERM); !sent && !m_recording->targetHasEnded())
        m_terminal.message(sent.error().text());
    std::erase(pids, m_target->pid());
    m_ender.ask(pids, m_processes, m_tables.tables(), m_beginNs);
}

/// Waits for what was asked to end, so that the session says how it did.
void RecordRun::waitForEnds()
{
    if (m_recording->waitForTarget(kPatience); !m_recording->targetHasEnded())
        m_terminal.message(fmt::format("Process {0} cannot be ended and runs on (kill -KILL {0})", m_target->pid()));
    if (const auto killed = m_ender.finish(kPatience); !killed.empty())
        m_terminal.message(fmt::format("Killed, as it did not end when it was asked to: {}",
            processListText(killed, m_processes, m_tables.tables())));
    m_recording->noteEnds();
}

/// Names the processes that go on without being recorded, or ends the command where that was asked for.
void RecordRun::sayWhatGoesOn(capture::EndReason reason)
{
    const bool hasEnded = reason == capture::EndReason::TargetEnded;
    const std::vector<std::int32_t> pids = runningPids(m_processes);
    if (!hasEnded && m_options.thenKill) {
        if (!m_options.isQuiet && !m_soak && !pids.empty())
            m_terminal.message(fmt::format("Recording ended ({}); --then-kill ends {}",
                capture::endReasonText(reason, false), processListText(pids, m_processes, m_tables.tables())));
        return endAll(pids);
    }
    if (m_options.isQuiet || (hasEnded && pids.empty()))
        return;
    const std::string named = processListText(pids, m_processes, m_tables.tables());
    const bool isAttached = m_options.config.attachPid.has_value();
    m_terminal.message(hasEnded
            ? fmt::format("The {} has ended; what it started runs on: {} (genprof attach {} records it, and "
                          "--until-all-end would have)",
                isAttached ? "process" : "command", named, pids.front())
            : fmt::format("Recording ended ({}); {} {} on", capture::endReasonText(reason, isAttached), named,
                pids.size() == 1 ? "runs" : "run"));
}

/// Puts the session on the list of recent ones. A list that cannot be written is no reason to disturb a recording.
void RecordRun::remember()
{
    if (m_options.isUnlisted)
        return;
    const auto folder = storage::SessionCatalog::defaultFolder();
    auto catalog
        = folder ? storage::SessionCatalog::open(*folder) : model::Result<storage::SessionCatalog>(folder.error());
    if (!catalog)
        return;
    std::error_code error;
    const std::filesystem::path path = std::filesystem::absolute(m_path, error);
    const model::ProgramTables &tables = m_tables.tables();
    if (!error)
        static_cast<void>(catalog->remember(path.string(), m_recording->info(), RecordingStart::now().wallNs,
            m_options.isSealed ? storage::SessionCatalog::Secrecy::Sealed : storage::SessionCatalog::Secrecy::Plain,
            tables.images.empty() ? std::string() : tables.text(tables.images.front().commandLine)));
}

/// What the list of sessions says of memory. Short recordings have no answer, and are not held up; one that cannot be stored is no failure.
void RecordRun::storeVerdicts()
{
    if (m_recording->status().durationNs < kLeastForVerdicts.ns)
        return;
    std::vector<std::string> lines;
    if (auto reader = storage::SessionReader::open(m_path, m_key))
        if (const auto snapshot = reader->snapshot({}, {}, storage::SessionReader::Parts::WithAges))
            lines = model::verdictLines(**snapshot);
    if (!lines.empty())
        static_cast<void>(storage::changeEntry(m_path, {.addedVerdicts = lines}, m_key));
}

void RecordRun::complete()
{
    const auto finished = m_recording->finish();
    m_terminal.clearStatus();
    if (!finished) {
        m_terminal.message(finished.error().text());
        return;
    }
    remember();
    storeVerdicts();
    if (m_options.isQuiet)
        return;
    for (const std::string &line : closingLines(
             m_recording->status(), m_tables.tables(), m_instruments->notes(), m_path, m_options.config.duration))
        m_terminal.message(line);
}

int RecordRun::waitForTarget()
{
    if (m_options.config.attachPid)
        return m_instruments->heapIsMissing() ? kExitHeapNotAttached : kExitOk;
    const auto end = m_recording->waitForTarget(std::nullopt);
    if (!end)
        return kExitRecorderFailed;
    // Where it is the recorder's child no shell says so.
    constexpr std::array kAskedFor{SIGINT, SIGTERM, SIGHUP, SIGPIPE};
    const int signal = WIFSIGNALED(end->waitStatus) ? WTERMSIG(end->waitStatus) : 0;
    if (signal != 0 && !m_options.isQuiet && std::find(kAskedFor.begin(), kAskedFor.end(), signal) == kAskedFor.end())
        m_terminal.message(fmt::format("The command was killed by signal {} ({})", signal, ::strsignal(signal)));
    return exitCodeOf(end->waitStatus);
}

/// Where memory or threads are short: leaves nothing behind of what did not begin; else the session stays unfinished, and the command goes on.
int RecordRun::abandon(const std::string &why)
{
    const std::string text
        = fmt::format("There is not enough memory, or no thread is left, for recording ({}): raise the "
                      "limits (ulimit -v, ulimit -u)",
            why);
    if (!m_isTargetRunning)
        return giveUp(text, kExitRecorderFailed);
    m_terminal.clearStatus();
    m_terminal.message(
        text + ". The recording ends here, unfinished" + (m_ender.hasAsked() ? "" : "; the command runs on"));
    m_recording->releaseInstruments();
    if (m_ender.hasAsked()) // what --then-kill began
        waitForEnds();
    return m_options.config.attachPid || m_soak ? kExitRecorderFailed : waitForTarget();
}

int RecordRun::run()
{
    try {
        return runWhole();
    } catch (const std::bad_alloc &error) {
        return abandon(error.what());
    } catch (const std::system_error &error) {
        return abandon(error.what());
    }
}

int RecordRun::runWhole()
{
    auto alerts = loadAlertConfig(m_options.alerts, m_options.onAlert);
    if (!alerts)
        return fail(alerts.error().text(), kExitRecorderFailed);
    m_alertConfig = std::move(*alerts);
    if (const auto checked = m_options.serve ? checkServing(*m_options.serve) : model::Result<void>(); !checked)
        return fail(checked.error().text(), kExitRecorderFailed);
    if (const auto made = makeKey(); !made)
        return fail(made.error().text(), kExitRecorderFailed);
    auto signals = capture::SignalWatch::create();
    if (!signals)
        return fail(signals.error().text(), kExitRecorderFailed);
    m_signals.emplace(std::move(*signals));
    if (const auto opened = openSession(); !opened)
        return fail(opened.error().text(), kExitRecorderFailed);
    if (const auto opened = openTarget(); !opened)
        return giveUp(opened.error().text(), kExitRecorderFailed);
    if (const auto begun = beginSoak(); !begun)
        return giveUp(begun.error().text(), kExitRecorderFailed);
    if (const auto failure = startTarget())
        return giveUp(failure->error.text(), failure->exitStatus);
    for (const std::string &note : m_instruments->notes())
        m_terminal.message(note);
    openControl();
    openService();
    remember();
    if (m_soak)
        m_soak->startLoads();
    const capture::EndReason reason = m_recording->run();
    endSoak();
    m_recording->releaseInstruments();
    m_recording->noteEnds();
    sayWhatGoesOn(reason);
    nameFunctions();
    if (reason != capture::EndReason::TargetEnded && m_options.thenKill)
        waitForEnds();
    complete();
    m_service.reset(); // after what a slow client must not hinder
    m_alerts->finish();
    const int exitCode = waitForTarget();
    // A command's own status stands where a part of the recording is missing. Of nothing at all nobody may believe that it was recorded.
    if (m_recording->isIncomplete() && (m_soak || m_options.config.attachPid || m_recording->isEmpty()))
        return kExitRecorderFailed;
    return exitCode == kExitOk && m_options.failsOnAlert && m_alerts->firedCount() > 0 ? kExitAlert : exitCode;
}

void RecordRun::nameFunctions()
{
    m_recording->nameFunctions([this](std::size_t done, std::size_t total) {
        m_terminal.showStatus(fmt::format("Naming functions: {} of {}  (Ctrl-C leaves the rest without names)",
            model::formatCount(static_cast<std::int64_t>(done)), model::formatCount(static_cast<std::int64_t>(total))));
    });
    m_terminal.clearStatus();
}

} // namespace

int runRecord(const RecordOptions &options, const capture::InheritedState &inherited, SoakDesk *soak)
{
    return RecordRun(options, inherited, soak).run();
}

} // namespace app
