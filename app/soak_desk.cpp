// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/soak_desk.h"

#include "app/duration_text.h"
#include "app/exit_code.h"
#include "capture/proc/proc_reader.h"
#include "model/base/format_interval.h"
#include "model/report/difference_words.h"
#include "model/report/soak_report.h"

#include <fmt/format.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

namespace app {

namespace {

constexpr model::Duration kLeastQuestionDistance = model::Duration::fromMs(15'000);

std::vector<model::SoakLoad> knownLoads(const SoakStart &start)
{
    std::vector<model::SoakLoad> loads = start.record.loads;
    loads.resize(start.loads.size());
    for (std::size_t i = 0; i < loads.size(); ++i)
        loads[i].command = i < start.shownLoads.size() ? start.shownLoads[i] : start.loads[i];
    return loads;
}

std::string shortName(model::SoakQuantity quantity)
{
    switch (quantity) {
    case model::SoakQuantity::Rss:
        return "rss";
    case model::SoakQuantity::Anonymous:
        return "anonymous";
    case model::SoakQuantity::LiveHeap:
        break;
    }
    return "heap";
}

std::int64_t nowNs(clockid_t clock)
{
    timespec now{};
    ::clock_gettime(clock, &now);
    return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

/// A moment of just now on the clock that counts from boot.
std::int64_t bootTimeOf(std::int64_t wallNs) { return nowNs(CLOCK_BOOTTIME) - (nowNs(CLOCK_REALTIME) - wallNs); }

/// A fit that was not made yet has no growth and no error.
bool isUnknown(const model::StabilityVerdict &verdict)
{
    return verdict.growth == 0 && verdict.growthInterval.low == 0 && verdict.growthInterval.high == 0;
}

/// "+1.2 %": a tenth of a percent is as close as a status line looks.
std::string percentText(double share)
{
    constexpr double kLeastShown = 0.0005;
    return std::abs(share) < kLeastShown ? "0 %" : model::signedShare(share);
}

std::string word(const model::SoakAnswer &answer)
{
    switch (answer.outcome) {
    case model::SoakOutcome::Stable:
        return answer.isProvisional ? "stable so far" : "stable";
    case model::SoakOutcome::Leaking:
        return "LEAKING";
    default:
        break;
    }
    return answer.expected ? fmt::format("undecided, in sight at {}", durationText(*answer.expected)) : "undecided";
}

} // namespace

std::string bootId()
{
    std::string id = capture::readProcFile("/proc/sys/kernel/random/boot_id").value_or("");
    while (!id.empty() && (id.back() == '\n' || id.back() == ' '))
        id.pop_back();
    return id;
}

std::int64_t startTicksOf(std::int32_t pid)
{
    const auto text = capture::readProcFile(fmt::format("/proc/{}/stat", pid));
    const auto stat = text ? capture::parseStat(*text) : std::nullopt;
    return stat && stat->state != 'Z' && stat->state != 'X' ? stat->startTicks : 0;
}

int soakExitCode(model::SoakOutcome outcome)
{
    switch (outcome) {
    case model::SoakOutcome::Stable:
        return kExitOk;
    case model::SoakOutcome::Leaking:
        return kExitSoakLeaking;
    case model::SoakOutcome::TargetFailed:
    case model::SoakOutcome::LoadFailed:
        return kExitSoakTargetFailed;
    default:
        break;
    }
    return kExitSoakUndecided;
}

SoakDesk::SoakDesk(SoakStart start, const capture::InheritedState &inherited, MessageHandler onMessage)
    : m_start(std::move(start))
    , m_loads(m_start.loads, knownLoads(m_start), m_start.record.plan->length, inherited)
    , m_onMessage(std::move(onMessage))
{
}

model::SoakRecord SoakDesk::begin(
    std::int32_t pid, const model::SessionInfo &info, const std::string &path, bool mayRead)
{
    const std::vector<model::SoakLeg> &legs = m_start.record.legs;
    model::SoakLeg leg;
    leg.id = legs.empty() ? 0 : legs.back().id + 1;
    leg.segment = legs.empty() ? 0 : legs.back().segment + (m_start.goesOn ? 0u : 1u);
    leg.beganWallNs = info.startWallNs;
    leg.pid = pid;
    leg.startTicks = startTicksOf(pid);
    leg.boot = bootId();
    leg.beganBootNs = bootTimeOf(info.startWallNs);
    if (legs.empty())
        m_start.record.plan->beganWallNs = info.startWallNs;
    m_start.record.loads.clear(); // what the loads know of them holds
    m_watch.emplace(m_start.record, leg, info.config);
    m_path = path;
    m_asksForStacks = mayRead && info.config.heap != model::HeapMode::Off;
    model::SoakRecord rows = m_watch->firstRows();
    rows.loads = m_loads.takeChanged(); // a test that is killed before its first tick keeps them
    return rows;
}

void SoakDesk::startLoads() { m_loads.start({}); }

void SoakDesk::askForStacks(model::Timestamp now)
{
    if (const auto bytesAnHour = m_growth.look())
        m_watch->setStackGrowth(*bytesAnHour * m_watch->plan().length.seconds() / 3600);
    if (!m_asksForStacks || now < m_nextQuestion)
        return;
    m_nextQuestion = now + std::max(kLeastQuestionDistance, model::Duration{m_watch->plan().length.ns / 96});
    m_growth.ask(m_path);
}

void SoakDesk::see(model::EventBatch &batch, const model::ProgramTables &tables)
{
    const bool hasLooked = m_watch->evaluate(batch, tables);
    if (hasLooked) {
        m_answer = m_watch->answer();
        m_isDecided = m_watch->isDecided();
    }
    askForStacks(batch.span.end);
    for (const std::string &text : m_loads.look(batch.span.end))
        m_onMessage(text);
    for (model::SoakLoad &load : m_loads.takeChanged())
        batch.soak.loads.push_back(std::move(load));
    // Where no status line shows it, a checkpoint does; and a change of the answer at once.
    const std::int64_t elapsed = m_watch->elapsed().ns,
                       every = std::max<std::int64_t>(m_watch->plan().checkpoint.ns, 1);
    const bool isNews
        = hasLooked && m_saidSentence != word(m_answer) && m_answer.outcome != model::SoakOutcome::Running;
    if (!isNews && elapsed / every == m_saidNs / every)
        return;
    m_saidNs = elapsed;
    m_saidSentence = word(m_answer);
    if (!m_start.isQuiet)
        m_onMessage(statusLine());
}

std::optional<capture::EndReason> SoakDesk::endReason() const
{
    if (!m_loads.problem().empty())
        return capture::EndReason::LoadFailed;
    if (m_watch->isOver())
        return capture::EndReason::DurationReached;
    return m_isDecided ? std::optional(capture::EndReason::Decided) : std::nullopt;
}

std::string SoakDesk::targetProblem(const capture::Recording &recording) const
{
    if (!recording.targetHasEnded() || recording.wasInterrupted() || endReason())
        return {};
    const std::optional<int> status = recording.info().exitStatus;
    const std::string when = durationText(m_watch->elapsed());
    if (!status)
        return fmt::format("The target ended after {}.", when);
    if (WIFSIGNALED(*status))
        return fmt::format("The target was killed by signal {} ({}) after {}.", WTERMSIG(*status),
            ::strsignal(WTERMSIG(*status)), when);
    return fmt::format("The target ended with status {} after {}.", WEXITSTATUS(*status), when);
}

model::SoakRecord SoakDesk::finish(const capture::Recording &recording)
{
    const std::string target = targetProblem(recording);
    const std::string stopped
        = endReason() ? "" : fmt::format("It was stopped after {}.", durationText(m_watch->elapsed()));
    m_loads.stop();
    model::SoakRecord rows = m_watch->finish(target, m_loads.problem(), stopped);
    for (model::SoakLoad &load : m_loads.takeChanged())
        rows.loads.push_back(std::move(load));
    m_outcome = rows.end->outcome;
    rows.end->sentence = m_watch->answer().sentence;
    m_verdict = model::soakVerdictText(model::soakAnswerAtEnd(m_watch->answer(), *rows.end));
    return rows;
}

std::string SoakDesk::statusLine() const
{
    std::string line = fmt::format("● {} of {}", clockText(m_watch->elapsed()), clockText(m_watch->plan().length));
    if (!m_answer.segments.empty())
        for (const model::SoakJudgement &judgement : m_answer.segments.back().judgements)
            if (judgement.isJudged && std::isfinite(judgement.verdict.growthInterval.high)
                && judgement.verdict.blocks > 0 && !isUnknown(judgement.verdict))
                line += fmt::format("  {} {}", shortName(judgement.quantity),
                    model::withInterval(percentText(judgement.verdict.growth),
                        model::intervalParts(judgement.verdict.growthInterval.low * 100,
                            judgement.verdict.growthInterval.high * 100, model::Unit::Percent, model::Sign::Always)));
    return line + "  " + (m_answer.segments.empty() ? "warming up" : word(m_answer));
}

int SoakDesk::exitCode() const { return soakExitCode(m_outcome); }

} // namespace app
