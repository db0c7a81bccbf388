// SPDX-License-Identifier: GPL-3.0-or-later
// What a recording does once it has ended: names, the file's end, and the wait for a target that runs on.
#include "capture/proc/proc_reader.h"
#include "capture/recording/recording.h"
#include "model/base/format_units.h"

#include <poll.h>
#include <signal.h>

#include <algorithm>
#include <array>
#include <utility>

namespace capture {

namespace {

constexpr model::Duration kLateWrites = model::Duration::fromMs(1000);
/// How often it is looked whether anything runs yet of what the target started.
constexpr model::Duration kLookForOthers = model::Duration::fromMs(100);
/// How often control clients are answered while a target is waited for.
constexpr std::int64_t kServiceMs = 100;
/// What is killed is gone by then, unless it is another user's by now or in a system call that nothing ends.
constexpr model::Duration kGoneAfterKill = model::Duration::fromMs(5000);
/// The first time later: what was forked in the target's last moments has to be noticed.
constexpr model::Duration kFirstLookForOthers = model::Duration::fromMs(300);

/// How long what is on its way out is waited for, and how often it is looked whether it is gone.
constexpr model::Duration kMostForTheEnd = model::Duration::fromMs(200);
constexpr int kLookForTheEndMs = 5;

} // namespace

/// Passes signals on; returns whether the user is in a hurry.
bool Recording::takeLateSignals()
{
    bool isInterrupted = false;
    for (const ReceivedSignal &received : m_signals.take()) {
        const bool isEnding = received.number == SIGINT || received.number == SIGTERM || received.number == SIGHUP;
        isInterrupted = isInterrupted
            || (isEnding && (received.isFromTerminal || !m_target.isLaunched() || m_signalPolicy == SignalPolicy::End));
        if (received.number != SIGCHLD && received.number != SIGCONT
            && !(isEnding && m_signalPolicy == SignalPolicy::End))
            passOn(received);
    }
    return isInterrupted;
}

void Recording::nameFunctions(const std::function<void(std::size_t done, std::size_t total)> &onProgress)
{
    if (!m_symbolizer)
        return;
    model::Timestamp nextWrite = now() + kLateWrites;
    m_symbolizer->finish(m_processes.tables(), m_processes.livePids(), [&](std::size_t done, std::size_t total) {
        if (m_server)
            m_server->service();
        if (nextWrite <= now()) {
            if (const auto written = writeLateRows(); !written)
                m_status.status().trouble = written.error().text();
            nextWrite = now() + kLateWrites;
        }
        onProgress(done, total);
        return !takeLateSignals();
    });
}

model::Result<void> Recording::writeLateRows()
{
    model::EventBatch empty; // its span is empty too: no tick
    empty.span = {m_tickBegin, m_tickBegin};
    return m_queue.write(std::move(empty), m_processes.tables());
}

model::Result<void> Recording::store(model::SoakRecord rows)
{
    model::EventBatch batch; // its span is empty: no tick
    batch.span = {m_tickBegin, m_tickBegin};
    batch.soak = std::move(rows);
    return m_queue.write(std::move(batch), m_processes.tables());
}

model::Result<void> Recording::finish()
{
    m_sink.expectEnd();
    model::Result<void> result = writeLateRows();
    m_isIncomplete = !result;
    m_info.unwritten = m_queue.unwritten();
    if (m_info.unwritten) {
        const std::string length = model::formatDuration(m_info.unwritten->length);
        m_info.duration = {m_info.unwritten->from.ns};
        m_onMessage(isEmpty() ? "Nothing of the recording could be written: its " + length + " are lost"
                              : "The last " + length + " of the recording could not be written and are lost");
        m_info.endReason += "; the last " + length + " could not be written";
    }
    m_info.state = model::SessionState::Stopping;
    if (const auto stored = m_sink.updateInfo(m_info); !stored && result)
        result = stored;
    // What stands as being recorded while nobody records it reads as unfinished.
    if (!m_isIncomplete)
        m_info.state = model::SessionState::Complete;
    m_info.controlAddress.clear();
    if (const auto finished = m_sink.finish(m_info); !finished && result)
        result = finished;
    m_isIncomplete = m_isIncomplete || !result;
    m_status.status().state = result ? model::SessionState::Complete : model::SessionState::Unfinished;
    m_status.status().fileBytes = m_sink.storedBytes();
    if (m_server)
        m_server->close({result ? std::string() : result.error().text(), m_status.status()});
    m_server.reset();
    return result;
}

/// The target has ended, and the recording goes on with what it started.
void Recording::goOnWithout()
{
    look(); // at what it leaves behind in /proc
    m_gaps.end(model::GapKind::TargetStopped, now());
    collectTarget();
    addTargetPeak(*m_looked);
    m_nextLookForOthers = now() + kFirstLookForOthers;
}

void Recording::endWithTheLast(model::Timestamp moment)
{
    if (!m_nextLookForOthers || moment < *m_nextLookForOthers)
        return;
    m_nextLookForOthers = now() + kLookForOthers;
    const std::vector<std::int32_t> pids = m_processes.livePids();
    if (std::none_of(pids.begin(), pids.end(), [](std::int32_t pid) { return isRunning(pid); }))
        end(EndReason::TargetEnded);
}

void Recording::collectTarget()
{
    m_targetEnd = m_target.reap();
    if (m_targetEnd)
        m_info.exitStatus = m_targetEnd->waitStatus;
    if (m_processes.liveProcess(m_target.pid()) == m_targetProcess)
        m_processes.processEnded(m_target.pid(), now(), m_info.exitStatus);
    else if (m_info.exitStatus)
        m_processes.tables().changeProcess(m_targetProcess).waitStatus = m_info.exitStatus;
}

/// What a launched program had at most, where nobody looked: the kernel tells it at the end. Where that is more than was ever seen, it was reached since
/// the last look. Children that were waited for count, too, so of a program that had any it says nothing.
void Recording::addTargetPeak(model::EventBatch &batch) const
{
    const auto &processes = m_processes.tables().tables().processes;
    const bool hasChildren = std::any_of(processes.begin(), processes.end(),
        [this](const model::Process &process) { return process.parent == m_targetProcess; });
    if (!m_targetEnd || !m_targetEnd->isMaxOfProgram || hasChildren || m_targetEnd->maxRssBytes <= m_targetPeakBytes)
        return;
    const auto known = std::find_if(batch.metrics.begin(), batch.metrics.end(),
        [this](const model::MetricsRow &row) { return row.process == m_targetProcess; });
    if (known != batch.metrics.end()
        && known->values.get(model::Metric::RssPeak).value_or(0) < m_targetEnd->maxRssBytes)
        known->values.set(model::Metric::RssPeak, m_targetEnd->maxRssBytes);
}

void Recording::noteEnds()
{
    const std::vector<std::int32_t> pids = m_processes.livePids();
    const auto areEnding
        = [&pids] { return std::any_of(pids.begin(), pids.end(), [](std::int32_t pid) { return isEnding(pid); }); };
    const model::Timestamp deadline = now() + kMostForTheEnd;
    while (now() < deadline && areEnding())
        ::poll(nullptr, 0, kLookForTheEndMs);
    for (const std::int32_t pid : pids)
        if (!isRunning(pid))
            m_processes.processEnded(pid, now(), std::nullopt);
}

std::optional<TargetEnd> Recording::waitForTarget(std::optional<model::Duration> killAfter)
{
    model::Timestamp deadline = now() + killAfter.value_or(model::Duration{});
    bool isKilled = false;
    while (!m_targetEnded) {
        std::array<pollfd, 2> polled{{{m_signals.descriptor(), POLLIN, 0}, {m_target.endDescriptor(), POLLIN, 0}}};
        const std::int64_t leftNs = killAfter ? std::max<std::int64_t>(deadline.ns - now().ns, 0) : -1;
        std::int64_t timeoutMs = leftNs < 0 ? -1 : leftNs / 1'000'000 + 1;
        if (m_server && killAfter) { // before finish()
            m_server->service();
            timeoutMs = std::min(timeoutMs, kServiceMs);
        }
        const int ready = ::poll(polled.data(), polled.size(), static_cast<int>(timeoutMs));
        if (ready == 0 && leftNs == 0) {
            if (std::exchange(isKilled, true))
                break;
            if (const auto sent = m_target.sendSignal(SIGKILL); !sent)
                m_onMessage(sent.error().text());
            deadline = now() + kGoneAfterKill;
        }
        takeLateSignals();
        lookAtTarget();
        if (m_targetEnded)
            collectTarget();
    }
    return m_targetEnd;
}

} // namespace capture
