// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/recording/recording.h"

#include "capture/monotonic_clock.h"
#include "capture/recording/batch_merge.h"

#include <poll.h>
#include <signal.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <limits>
#include <utility>

namespace capture {

namespace {

/// After Ctrl-C the target, which got it too, has this long to end as part of the recording.
constexpr model::Duration kInterruptGrace = model::Duration::fromMs(1000);

/// At the end the instruments are drained until they are empty, but not longer than this: children may go on for ever.
constexpr model::Duration kFinalDrain = model::Duration::fromMs(3000);

bool contains(const std::vector<int> &list, int value)
{
    return std::find(list.begin(), list.end(), value) != list.end();
}

} // namespace

std::string_view endReasonText(EndReason reason, bool attached)
{
    switch (reason) {
    case EndReason::TargetEnded:
        return attached ? "process ended" : model::kCommandEnded;
    case EndReason::DurationReached:
        return "duration reached";
    case EndReason::Interrupted:
        return "interrupted by the user";
    case EndReason::StoppedByControl:
        return "stopped by the user";
    case EndReason::Decided:
        return "the test was decided";
    case EndReason::LoadFailed:
        return "the load of the test failed";
    }
    return "";
}

Recording::Recording(Parts parts, StatusHandler onStatus, MessageHandler onMessage)
    : m_target(parts.target)
    , m_signals(parts.signals)
    , m_sink(parts.sink)
    , m_processes(parts.processes)
    , m_symbolizer(parts.symbolizer)
    , m_startMonotonicNs(parts.startMonotonicNs)
    , m_info(std::move(parts.info))
    , m_onStatus(std::move(onStatus))
    , m_onMessage(std::move(onMessage))
    , m_watch(std::move(parts.watch))
    , m_signalPolicy(parts.signalPolicy)
    , m_outlivesTarget(parts.outlivesTarget)
    , m_queue(parts.sink)
    , m_schedule({}, m_info.config.tick)
    , m_scans(parts.scans)
    , m_scanPlan(m_info.config.scanEvery)
    , m_usage(recorderUsage())
{
    for (std::unique_ptr<Instrument> &instrument : parts.instruments)
        m_sources.push_back({std::move(instrument), {}, false});
    m_status.status().targetPid = m_target.pid();
    m_targetProcess = m_processes.liveProcess(m_target.pid());
    if (!m_targetProcess.isValid())
        m_targetProcess = m_processes.processSeen(m_target.pid(), 0, now());
}

Recording::~Recording() = default;

model::Timestamp Recording::now() const { return {monotonicNs() - m_startMonotonicNs}; }

model::Result<void> Recording::listen(const std::string &directory)
{
    auto server = ControlServer::listen(directory, [this](const ControlRequest &request) { return handle(request); });
    if (!server)
        return server.error();
    m_server.emplace(std::move(*server));
    m_info.controlAddress = m_server->address();
    const auto stored = m_sink.updateInfo(m_info);
    m_infoIsStored = stored.has_value();
    return stored;
}

EndReason Recording::run()
{
    m_begin = m_lastAwake = now();
    m_schedule = TickSchedule(m_begin, m_info.config.tick);
    m_scanPlan.begin(m_begin);
    while (!m_end) {
        wait();
        takeSignals();
        if (m_server)
            m_server->service();
        lookAtTarget();
        const model::Timestamp moment = now();
        drainDue(moment);
        runSchedule(moment);
        runScans(moment);
        endWithTheLast(moment);
        endIfDue(moment);
        takeSignals(); // of a stop in the midst of this round, whose gap begins before it
        m_lastAwake = now();
    }
    finishScans();
    drainAll();
    look();
    if (m_targetEnded && !m_nextLookForOthers) {
        collectTarget();
        addTargetPeak(*m_looked);
    }
    for (Source &source : m_sources)
        source.instrument->conclude(*m_looked);
    m_gaps.endAll(m_looked->span.end);
    flush(m_schedule.advance(m_looked->span.end)); // ticks that were due meanwhile, and that this one stands for
    m_info.duration = {m_tickBegin.ns};
    m_info.endReason = endReasonText(*m_end, m_info.config.attachPid.has_value());
    return *m_end;
}

int Recording::waitTimeoutMs(model::Timestamp now) const
{
    model::Timestamp due = m_schedule.next();
    for (const Source &source : m_sources) {
        if (source.hasMore)
            return 0;
        if (source.instrument->drainIntervalMs() > 0)
            due = std::min(due, source.nextDrain);
    }
    if (m_scans && m_scanPlan.next() && !m_scans->isScanning())
        due = std::min(due, *m_scanPlan.next());
    if (m_info.config.duration)
        due = std::min(due, m_begin + *m_info.config.duration);
    if (m_interruptedAt)
        due = std::min(due, *m_interruptedAt + kInterruptGrace);
    if (m_nextLookForOthers)
        due = std::min(due, *m_nextLookForOthers);
    const std::int64_t ms = (std::max<std::int64_t>(due.ns - now.ns, 0) + 999'999) / 1'000'000;
    return static_cast<int>(std::min<std::int64_t>(ms, std::numeric_limits<int>::max()));
}

void Recording::wait()
{
    // poll rather than epoll: instruments' descriptors come and go, their numbers are reused, and there are few of them.
    std::vector<pollfd> polled;
    const auto add = [&](int fd) {
        if (fd >= 0 && !contains(m_muted, fd))
            polled.push_back({fd, POLLIN, 0});
    };
    add(m_signals.descriptor());
    if (!m_targetEnded)
        add(m_target.endDescriptor());
    if (m_server) {
        for (const int fd : m_server->descriptors())
            add(fd);
    }
    for (const Source &source : m_sources) {
        for (const int fd : source.instrument->descriptors())
            add(fd);
    }
    m_readable.clear();
    if (::poll(polled.data(), polled.size(), waitTimeoutMs(now())) <= 0)
        return;
    for (const pollfd &entry : polled) {
        if (entry.revents == 0)
            continue;
        m_readable.push_back(entry.fd);
        if ((entry.revents & POLLIN) == 0)
            m_muted.push_back(entry.fd);
    }
}

void Recording::takeSignals()
{
    for (const ReceivedSignal &received : m_signals.take())
        handleSignal(received);
}

void Recording::handleSignal(const ReceivedSignal &received)
{
    switch (received.number) {
    case SIGCHLD:
        return; // the target is looked at in each round
    case SIGCONT:
        noteRecorderStop();
        return;
    case SIGINT:
        m_wasInterrupted = true;
        if (m_signalPolicy == SignalPolicy::End)
            return end(EndReason::Interrupted);
        if (received.isFromTerminal || !m_target.isLaunched() || m_targetEnded) {
            if (m_interruptedAt || !m_target.isLaunched() || m_targetEnded)
                end(EndReason::Interrupted);
            m_interruptedAt = now();
            return;
        }
        break;
    case SIGTERM:
    case SIGHUP:
    case SIGQUIT:
        m_wasInterrupted = true;
        if (m_signalPolicy == SignalPolicy::End)
            return end(EndReason::Interrupted);
        if (!m_target.isLaunched() || m_targetEnded)
            end(EndReason::Interrupted);
        break;
    default:
        break;
    }
    passOn(received);
}

void Recording::passOn(const ReceivedSignal &received)
{
    if (!m_target.isLaunched() || received.isFromTerminal)
        return;
    if (const auto sent = m_target.sendSignal(received.number); !sent && !m_targetEnded)
        m_onMessage(sent.error().text());
}

void Recording::noteRecorderStop()
{
    m_gaps.add({{m_lastAwake, now()}, model::GapKind::RecorderStopped});
    m_schedule.advance(now()); // its ticks were not late, the recorder was away
}

void Recording::lookAtTarget()
{
    if (m_targetEnded)
        return;
    switch (m_target.look()) {
    case TargetChange::None:
        break;
    case TargetChange::Stopped:
        m_gaps.begin(model::GapKind::TargetStopped, now());
        break;
    case TargetChange::Continued:
        m_gaps.end(model::GapKind::TargetStopped, now());
        break;
    case TargetChange::Ended:
        m_targetEnded = true;
        if (m_outlivesTarget && !m_end)
            goOnWithout();
        else
            end(EndReason::TargetEnded);
        break;
    }
}

void Recording::drainDue(model::Timestamp moment)
{
    for (Source &source : m_sources) {
        const int intervalMs = source.instrument->drainIntervalMs();
        const std::vector<int> fds = source.instrument->descriptors();
        const bool isReadable
            = std::any_of(fds.begin(), fds.end(), [this](int fd) { return contains(m_readable, fd); });
        const bool isDue = intervalMs > 0 && source.nextDrain <= moment;
        if (!source.hasMore && !isReadable && !isDue)
            continue;
        source.hasMore = source.instrument->drain(now());
        source.nextDrain = now() + model::Duration::fromMs(source.instrument->drainIntervalMs());
    }
}

void Recording::drainAll()
{
    const model::Timestamp deadline = now() + kFinalDrain;
    for (Source &source : m_sources) {
        while (source.instrument->drain(now()) && now() < deadline) { }
    }
}

void Recording::runSchedule(model::Timestamp moment)
{
    if (m_end || moment < m_schedule.next())
        return;
    const bool isTick = m_schedule.tickIsDue(moment); // early looks may be due as well: the tick has their readings
    const std::int64_t missedTicks = m_schedule.advance(moment);
    if (isTick)
        closeTick(missedTicks);
    else
        look();
}

void Recording::look()
{
    model::EventBatch batch;
    for (Source &source : m_sources) {
        // The clock is read anew each time: a source that is told an earlier moment than what it sees would contradict the others.
        source.hasMore = source.instrument->drain(now());
        source.instrument->collect(now(), batch);
    }
    batch.span = {m_looked ? m_looked->span.end : m_tickBegin, now()};
    if (m_looked)
        mergeInto(*m_looked, std::move(batch));
    else
        m_looked = std::move(batch);
}

void Recording::closeTick(std::int64_t missedTicks)
{
    look();
    flush(missedTicks);
}

void Recording::flush(std::int64_t missedTicks)
{
    model::EventBatch batch = std::move(*m_looked);
    m_looked.reset();
    m_muted.clear();
    for (const model::MetricsRow &row : batch.metrics)
        if (row.process == m_targetProcess)
            m_targetPeakBytes = std::max(m_targetPeakBytes, row.values.get(model::Metric::RssPeak).value_or(0));

    batch.marks.insert(batch.marks.end(), m_marks.begin(), m_marks.end());
    m_marks.clear();
    const std::vector<model::Gap> gaps = m_gaps.take();
    batch.gaps.insert(batch.gaps.end(), gaps.begin(), gaps.end());
    if (missedTicks > 0)
        batch.losses.push_back({model::LossKind::TicksDelayed, {}, missedTicks, {}});
    const RecorderUsage usage = recorderUsage();
    batch.recorderCpuNs = usage.cpuNs - m_usage.cpuNs;
    batch.recorderRssBytes = usage.rssBytes;
    m_usage = usage;
    m_tickBegin = batch.span.end;

    if (m_symbolizer) {
        m_symbolizer->request(m_processes.tables(), m_processes.livePids());
        m_symbolizer->apply(m_processes.tables());
    }
    if (m_watch)
        m_watch(batch, m_processes.tables().tables());
    for (const model::MemoryScan &scan : batch.scans)
        m_lastScan = std::max(m_lastScan, scan.id);
    m_status.add(batch, m_processes.tables().tables());
    write(std::move(batch));
    m_status.status().fileBytes = m_sink.storedBytes();
    if (m_onStatus)
        m_onStatus(m_status.status());
}

void Recording::write(model::EventBatch batch)
{
    const model::Result<void> written = m_queue.write(std::move(batch), m_processes.tables());
    if (!written) {
        m_status.status().trouble = written.error().text();
        if (!m_writeFails)
            m_onMessage(written.error().text()
                + ". The recording goes on in memory and is written as soon as that is possible");
        noteUnwritten();
        m_writeFails = true;
        return;
    }
    if (m_writeFails)
        m_onMessage("The session can be written again; what was kept in memory is stored, as one long tick");
    m_writeFails = false;
    m_status.status().trouble.clear();
    if (std::exchange(m_info.unwritten, std::nullopt))
        m_infoIsStored = false;
    if (!m_infoIsStored)
        m_infoIsStored = m_sink.updateInfo(m_info).has_value();
}

/// The file says at once from when on nothing is written: the recorder may be killed before there is room.
void Recording::noteUnwritten()
{
    if (!m_info.unwritten) {
        m_info.unwritten = m_queue.unwritten();
        if (!m_info.unwritten)
            return;
        m_info.unwritten->length = {}; // it grows
        m_info.unwritten->heapEvents = m_info.unwritten->cpuSamples = 0;
        m_infoIsStored = false;
    }
    // There may be room for it later, and still none for the ticks.
    if (!m_infoIsStored)
        m_infoIsStored = m_sink.updateInfo(m_info).has_value();
}

void Recording::end(EndReason reason)
{
    // The target's own end says more than what made it end.
    if (!m_end || reason == EndReason::TargetEnded)
        m_end = reason;
}

void Recording::endIfDue(model::Timestamp moment)
{
    if (m_info.config.duration && moment >= m_begin + *m_info.config.duration)
        end(EndReason::DurationReached);
    if (m_interruptedAt && *m_interruptedAt + kInterruptGrace <= moment)
        end(EndReason::Interrupted);
}

ControlReply Recording::handle(const ControlRequest &request)
{
    ControlReply reply;
    if (m_end && request.command != ControlCommand::Status && request.command != ControlCommand::Stop)
        reply.error = "The recording has ended; its file is being completed";
    else if (request.command == ControlCommand::Stop)
        end(EndReason::StoppedByControl);
    else if (request.command == ControlCommand::Pause)
        reply.error = pause();
    else if (request.command == ControlCommand::Resume)
        reply.error = resume();
    else if (request.command == ControlCommand::Mode)
        reply.error = setHeapMode(request.text);
    else if (request.command == ControlCommand::Scan)
        reply.error = askForScan(request.scan);
    else if (request.command == ControlCommand::Mark)
        m_marks.push_back({{std::max<std::int64_t>(now().ns - request.agoNs, 0)}, model::MarkKind::User, request.text});
    reply.isDeferred = request.command == ControlCommand::Scan;
    reply.status = m_status.status();
    reply.status.state = m_end ? model::SessionState::Stopping : m_info.state;
    reply.status.durationNs = m_end ? m_status.status().durationNs : now().ns;
    return reply;
}

std::string Recording::pause()
{
    if (m_info.state == model::SessionState::Paused)
        return "The recording is paused already";
    closeTick(0);
    for (Source &source : m_sources)
        source.instrument->setPaused(true);
    m_gaps.begin(model::GapKind::Paused, now());
    setState(model::SessionState::Paused);
    return {};
}

std::string Recording::resume()
{
    if (m_info.state != model::SessionState::Paused)
        return "The recording is not paused";
    closeTick(0); // what came during the pause is read under the pause
    for (Source &source : m_sources)
        source.instrument->setPaused(false);
    m_gaps.end(model::GapKind::Paused, now());
    setState(model::SessionState::Recording);
    return {};
}

std::string Recording::setHeapMode(const std::string &text)
{
    const auto wish = model::parseHeapWish(text);
    if (!wish)
        return wish.error().text();
    for (Source &source : m_sources)
        if (const auto done = source.instrument->setHeapMode(*wish))
            return *done ? std::string() : done->error().text();
    return "This recording has no heap; begin one with --heap";
}

void Recording::setState(model::SessionState state)
{
    m_info.state = state;
    m_status.status().state = state;
    const auto stored = m_sink.updateInfo(m_info);
    m_infoIsStored = stored.has_value();
    if (!stored)
        m_onMessage(stored.error().text());
}

void Recording::releaseInstruments() { m_sources.clear(); }

} // namespace capture
