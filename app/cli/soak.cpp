// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/cli/soak.h"

#include "app/cli/record.h"
#include "app/duration_text.h"
#include "app/exit_code.h"
#include "app/recording_info.h"
#include "app/session_name.h"
#include "app/soak_arguments.h"
#include "app/soak_desk.h"
#include "app/soak_resume.h"
#include "app/terminal.h"
#include "model/report/soak_report.h"
#include "storage/session_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <system_error>

namespace app {

namespace {

/// What stands for a secret in a stored command line.
constexpr std::string_view kHidden = "***";

bool hasHidden(const std::vector<std::string> &texts)
{
    return std::any_of(
        texts.begin(), texts.end(), [](const std::string &text) { return text.find(kHidden) != std::string::npos; });
}

/// One run of `genprof soak`.
class SoakRun
{
public:
    SoakRun(const SoakOptions &options, const capture::InheritedState &inherited)
        : m_options(options)
        , m_record(options.record)
        , m_inherited(inherited)
        , m_terminal(options.record.isQuiet)
    {
    }

    int run();

private:
    int fail(const std::string &text, int exitCode = kExitRecorderFailed);
    model::Result<void> begin();
    model::Result<void> resume(const BrokenSoak &soak);
    model::Result<void> chooseTarget(const BrokenSoak &soak);
    model::Result<void> hideSecrets();
    bool hasEnded(const BrokenSoak &soak) const;
    void printAnswer(const std::string &verdict);

    const SoakOptions &m_options;
    RecordOptions m_record;
    const capture::InheritedState &m_inherited;
    Terminal m_terminal;
    SoakStart m_start;
};

int SoakRun::fail(const std::string &text, int exitCode)
{
    m_terminal.message(text);
    return exitCode;
}

/// A test that is new: where it runs and what it is called is settled now, so that it can be resumed from anywhere.
model::Result<void> SoakRun::begin()
{
    m_start.record.plan = m_options.plan;
    m_start.loads = m_options.loads;
    std::error_code error;
    m_record.config.workingDirectory = std::filesystem::current_path(error).string();
    m_record.thenKill = !m_record.config.attachPid;
    if (m_record.output.empty())
        m_record.output = freeSessionName(m_record.config);
    return {};
}

/// Loads are shells' texts: each word of them is looked at.
model::Result<void> SoakRun::hideSecrets()
{
    m_start.shownLoads = m_start.loads;
    if (m_record.keepsSecrets)
        return {};
    const auto patterns = secretPatterns(m_record.secretPatterns);
    if (!patterns)
        return patterns.error();
    for (std::string &load : m_start.shownLoads)
        load = patterns->redacted(load);
    return {};
}

bool SoakRun::hasEnded(const BrokenSoak &soak) const
{
    const auto &end = soak.record.end;
    return end
        && (end->isWhole || end->outcome == model::SoakOutcome::Stable || end->outcome == model::SoakOutcome::Leaking);
}

/// The same process, if it still runs; else the command again, or the process that was named now.
model::Result<void> SoakRun::chooseTarget(const BrokenSoak &soak)
{
    const model::SoakLeg &last = soak.record.legs.back();
    model::CaptureConfig &config = m_record.config;
    const model::CaptureConfig asked = config;
    config = soak.info.config;
    config.duration.reset();
    const bool wasLaunched = !config.command.empty();
    const bool isAlive = last.boot == bootId() && last.startTicks != 0 && startTicksOf(last.pid) == last.startTicks;
    m_record.thenKill = wasLaunched;
    if (asked.attachPid && !(isAlive && *asked.attachPid == last.pid)) {
        if (isAlive)
            return model::Error(
                fmt::format("The process {} of the test still runs; leave --attach away to go on with it", last.pid));
        config.attachPid = asked.attachPid;
        config.command.clear();
        config.heap = asked.heap;
        m_record.thenKill = false;
        m_terminal.message(fmt::format("Process {} begins a new segment of the test", *asked.attachPid));
        return {};
    }
    if (isAlive) {
        m_start.goesOn = true;
        config.attachPid = last.pid;
        config.heap = model::HeapMode::Off; // what it allocated meanwhile is not known
        m_terminal.message(fmt::format("The test goes on with process {}, which still runs", last.pid));
        return {};
    }
    if (!asked.command.empty())
        config.command = asked.command;
    if (config.command.empty())
        return model::Error(fmt::format(
            "The process {} of the test has ended; name the one to go on with: genprof soak --resume {} --attach PID",
            last.pid, m_options.resume));
    if (hasHidden(config.command))
        return model::Error(fmt::format("The command was stored without its secrets; give it again: genprof soak "
                                        "--resume {} -- CMD ARG…",
            m_options.resume));
    config.heap = config.attachPid ? asked.heap : config.heap;
    config.attachPid.reset();
    m_terminal.message(fmt::format("{} meanwhile: the target is started again, and begins a new segment of the test",
        last.boot == bootId() ? "The target has ended" : "The machine was booted"));
    return {};
}

model::Result<void> SoakRun::resume(const BrokenSoak &soak)
{
    // A passphrase from a descriptor is read once, and was.
    if (soak.isSealed && m_record.passphrase.fd)
        return model::Error(
            "A sealed test is gone on with by the terminal or --passphrase-keyring, not --passphrase-fd");
    m_record.isSealed = m_record.isSealed || soak.isSealed;
    m_start.record = soak.record;
    m_start.record.plan->checkpoint
        = m_options.checkpointIsGiven ? m_options.plan.checkpoint : soak.record.plan->checkpoint;
    if (const auto chosen = chooseTarget(soak); !chosen)
        return chosen;
    paceRecording(m_start.record.plan->length, m_record.config);
    m_record.output = m_options.resume;
    m_start.loads = m_options.loads;
    if (m_start.loads.empty())
        for (const model::SoakLoad &load : soak.record.loads)
            m_start.loads.push_back(load.command);
    if (m_options.loads.empty() && hasHidden(m_start.loads))
        return model::Error("The load commands were stored without their secrets; give them again with --load");
    return {};
}

/// On the terminal, as `genprof report` says it; to who wants it quiet, or where only a passphrase reads the session, `verdict` alone.
void SoakRun::printAnswer(const std::string &verdict)
{
    if (!m_record.isQuiet && !m_record.isSealed)
        if (auto reader = storage::SessionReader::open(m_record.output))
            if (const auto snapshot = reader->snapshot({}, {}, storage::SessionReader::Parts::WithAges))
                return model::writeSoakText(std::cerr, **snapshot, {});
    m_terminal.message(verdict);
}

int SoakRun::run()
{
    std::optional<BrokenSoak> broken;
    if (m_options.resume.empty()) {
        if (const auto begun = begin(); !begun)
            return fail(begun.error().text());
    } else {
        auto read = readBrokenSoak(m_options.resume, m_record.passphrase);
        if (!read)
            return fail(read.error().text());
        broken = std::move(*read);
        if (hasEnded(*broken))
            return fail("The test has ended already. " + model::soakAnswer(broken->record).sentence,
                soakExitCode(broken->record.end->outcome));
        if (const auto resumed = resume(*broken); !resumed)
            return fail(resumed.error().text());
    }
    if (const auto hidden = hideSecrets(); !hidden)
        return fail(hidden.error().text());
    if (broken) {
        if (const auto moved = moveAside(m_record.output, *broken); !moved)
            return fail(moved.error().text());
        m_start.record.legs = broken->record.legs;
    }
    m_start.isQuiet = m_record.isQuiet;
    SoakDesk desk(m_start, m_inherited, [this](const std::string &text) { m_terminal.message(text); });
    const int recorded = runRecord(m_record, m_inherited, &desk);
    if (!desk.hasEnded()) // it did not even begin: a command that cannot be run is a failure of the target
        return recorded == kExitNotExecutable || recorded == kExitNotFound ? int{kExitSoakTargetFailed}
                                                                           : int{kExitRecorderFailed};
    printAnswer(desk.verdict());
    // What says that it is stable is not in the file: nobody could read it again.
    return recorded == kExitRecorderFailed && desk.exitCode() == kExitOk ? int{kExitRecorderFailed} : desk.exitCode();
}

} // namespace

int runSoak(const SoakOptions &options, const capture::InheritedState &inherited)
{
    return SoakRun(options, inherited).run();
}

} // namespace app
