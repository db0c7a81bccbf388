// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/perf/cpu_instrument.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <variant>

namespace capture {

namespace {

/// As many nodes as the stack tree of the whole recording may have; new stacks then go to its root for this.
constexpr std::size_t kMostStackNodes = 4'000'000;
constexpr std::size_t kMostPendingBytes = std::size_t{64} << 20;
constexpr std::size_t kRingBytesPerDrain = std::size_t{4} << 20;

std::size_t slot(model::LossKind kind) { return static_cast<std::size_t>(kind); }

} // namespace

std::size_t CpuInstrument::SampleKeyHash::operator()(const SampleKey &key) const noexcept
{
    const std::uint64_t who = (std::uint64_t{key.thread.value} << 32) | key.image.value;
    return static_cast<std::size_t>((who * 0x9e3779b97f4a7c15 + key.stack.value) * 0xd6e8feb86659fd93);
}

CpuInstrument::CpuInstrument(
    CpuEvents events, const CpuEventOptions &options, model::ProcessTable &processes, std::int64_t originNs)
    : m_events(std::move(events))
    , m_reader(kMostPendingBytes / 2)
    , m_options(options)
    , m_processTable(processes)
    , m_originNs(originNs)
    , m_files(processes.tables())
    , m_targets(processes, m_files, originNs)
    , m_unwinder(m_files)
    , m_namer(processes.tables(), m_files, m_events.setup().hasKernel)
    , m_sorter(kMostPendingBytes)
{
}

model::Result<std::unique_ptr<CpuInstrument>> CpuInstrument::launch(
    const CpuEventOptions &options, pid_t stoppedChild, model::ProcessTable &processes, std::int64_t originNs)
{
    auto events = CpuEvents::openForLaunch(options, stoppedChild);
    if (!events)
        return events.error();
    std::unique_ptr<CpuInstrument> instrument(new CpuInstrument(std::move(*events), options, processes, originNs));
    if (!options.followsChildren)
        instrument->m_onlyPids = {stoppedChild};
    return instrument;
}

model::Result<std::unique_ptr<CpuInstrument>> CpuInstrument::attach(const CpuEventOptions &options,
    const std::vector<pid_t> &pids, model::ProcessTable &processes, std::int64_t originNs, model::Timestamp now)
{
    auto events = CpuEvents::openForAttach(options, pids);
    if (!events)
        return events.error();
    std::unique_ptr<CpuInstrument> instrument(new CpuInstrument(std::move(*events), options, processes, originNs));
    if (!options.followsChildren)
        instrument->m_onlyPids = pids;
    for (const TreeProcess &process : instrument->m_events.earlierProcesses())
        instrument->m_targets.adopt(process.pid, process.parentPid, now);
    for (PerfRecord &record : instrument->m_events.takeEarlyRecords())
        instrument->add(std::move(record));
    return instrument;
}

model::Result<std::string> CpuInstrument::traceActivity(
    TraceOptions options, const std::vector<pid_t> &pids, TraceStart start)
{
    options.followsChildren = m_options.followsChildren;
    // Who is started meanwhile shows in the rings of the CPU events, which nobody reads yet.
    const auto readForks = [this]() -> const ThreadForks & {
        m_events.readEarlyRecords();
        return m_events.forks();
    };
    auto events = start == TraceStart::AtExec ? TraceEvents::openAtExec(options, pids)
                                              : TraceEvents::openRunning(options, pids, readForks);
    for (PerfRecord &record : m_events.takeEarlyRecords())
        add(std::move(record));
    if (!events)
        return events.error();
    m_activity = std::make_unique<ActivityTrace>(std::move(*events), m_processTable.tables(),
        [this](std::uint64_t address) { return m_namer.kernelFunctionAt(address); });
    return m_activity->note();
}

std::vector<int> CpuInstrument::descriptors() const
{
    std::vector<int> descriptors = m_events.descriptors();
    if (m_activity)
        descriptors.insert(descriptors.end(), m_activity->descriptors().begin(), m_activity->descriptors().end());
    return descriptors;
}

void CpuInstrument::setPaused(bool paused)
{
    m_isPaused = paused;
    if (m_activity)
        m_activity->setPaused(paused);
}

int CpuInstrument::drainIntervalMs() const
{
    if (m_activity)
        return 10; // the gate has to close in time
    return ringQuarterMs();
}

/// A quarter of the time in which samples fill a ring, so that a late wake-up loses nothing.
int CpuInstrument::ringQuarterMs() const
{
    const std::size_t bytesPerSecond = std::size_t{m_options.hz} * (m_options.stackBytes + 512);
    const std::size_t quarterMs = m_events.ringBytes() * 250 / std::max<std::size_t>(bytesPerSecond, 1);
    return static_cast<int>(std::clamp<std::size_t>(quarterMs, 5, 100));
}

void CpuInstrument::add(PerfRecord record)
{
    if (const auto *taken = std::get_if<PerfSample>(&record.content)) {
        ++m_samplesTaken;
        m_periodsTaken += taken->period;
    }
    if (const auto *lost = std::get_if<PerfLost>(&record.content))
        m_lostInRecords += lost->count;
    else if (std::holds_alternative<PerfThrottle>(record.content))
        ++m_losses[model::ImageId()][slot(model::LossKind::SamplesThrottled)];
    else if (m_onlyPids.empty() || std::holds_alternative<CallsInterrupted>(record.content)
        || std::holds_alternative<CallsResumed>(record.content)
        || std::find(m_onlyPids.begin(), m_onlyPids.end(), record.pid) != m_onlyPids.end())
        m_sorter.add(std::move(record));
}

bool CpuInstrument::readRings(std::size_t mostBytesPerRing)
{
    if (!m_reader.isStarted()) // before, rings come and go
        m_reader.start(m_events.rings(), std::chrono::milliseconds(ringQuarterMs()));
    const RingReader::Outcome outcome
        = m_reader.read(mostBytesPerRing, [this](PerfRecord record) { add(std::move(record)); });
    m_readCount += outcome.records;
    if (outcome.badBytes > 0)
        m_losses[model::ImageId()][slot(model::LossKind::BadRecords)] += static_cast<std::int64_t>(outcome.badBytes);
    return outcome.hasMore;
}

bool CpuInstrument::readActivity(ActivityRead how, model::Timestamp now)
{
    if (!m_activity)
        return false;
    const auto nowNs = static_cast<std::uint64_t>(now.ns + m_originNs);
    const auto next = [this](PerfRecord record) {
        ++m_readCount;
        add(std::move(record));
    };
    bool hasMore = false;
    if (how == ActivityRead::All)
        m_activity->readAll(nowNs, next);
    else
        hasMore = m_activity->read(kRingBytesPerDrain, nowNs, next);
    m_activityLosses[model::ImageId()][slot(model::LossKind::BadRecords)] += std::exchange(m_activity->badBytes, 0);
    return hasMore;
}

bool CpuInstrument::drain(model::Timestamp now)
{
    const std::uint64_t before = m_readCount;
    bool hasSamples = readRings(kRingBytesPerDrain);
    if (hasSamples && m_sorter.isFull()) // what is let go of early is in order at least as far as it was there
        hasSamples = readRings(m_events.ringBytes());
    const bool hasMore = readActivity(ActivityRead::Some, now) || hasSamples;
    if (m_readCount == before) {
        m_events.dropEnded();
        if (m_activity)
            m_activity->dropEnded();
    }
    const auto take = [this](PerfRecord &record) { handle(record); };
    const auto nowNs = static_cast<std::uint64_t>(now.ns + m_originNs);
    if (m_sorter.isFull())
        m_sorter.release(~std::uint64_t{0}, take);
    else if (!hasMore)
        m_sorter.release(nowNs - std::min(nowNs, SampleSorter::kSettleNs), take);
    return hasMore;
}

void CpuInstrument::collect(model::Timestamp now, model::EventBatch &batch)
{
    // Before the rings: what was counted until now is in them.
    const CpuEvents::Totals totals = m_events.totals();
    // What is in the rings now belongs to this tick; what comes while they are read waits for the next.
    readRings(m_events.ringBytes());
    readActivity(ActivityRead::All, now);
    m_sorter.release(
        static_cast<std::uint64_t>(now.ns + m_originNs) + 1, [this](PerfRecord &record) { handle(record); });
    m_namer.nameFrames();
    const std::int64_t periodNs = 1'000'000'000 / std::max<std::int64_t>(m_options.hz, 1);
    batch.cpu.reserve(batch.cpu.size() + m_samples.size());
    for (const auto &[key, count] : m_samples)
        batch.cpu.push_back({key.thread, key.image, key.stack, count, periodNs});
    m_samples.clear();
    if (m_activity)
        m_activity->collect(static_cast<std::uint64_t>(now.ns + m_originNs), batch);
    collectLosses(totals, batch);
}

void CpuInstrument::collectLosses(const CpuEvents::Totals &totals, model::EventBatch &batch)
{
    // The records of what a ring lost come with the next one that fits; the events' own count is never late.
    const std::uint64_t lost = std::max(m_lostInRecords, totals.lost);
    if (lost > m_lostReported) {
        batch.losses.push_back(
            {model::LossKind::SamplesLost, model::ImageId(), static_cast<std::int64_t>(lost - m_lostReported),
                fmt::format("rings of {} KiB per CPU at {} Hz", m_events.ringBytes() >> 10, m_options.hz)});
        m_lostReported = lost;
    }
    if (const std::uint64_t missed = missedSamples(totals.count); missed > m_missedReported) {
        batch.losses.push_back(
            {model::LossKind::SamplesMissed, model::ImageId(), static_cast<std::int64_t>(missed - m_missedReported),
                "of threads that ended before one, or while the machine stood still and did not tell"});
        m_missedReported = missed;
    }
    for (const model::ImageId image : m_targets.takeUnsampled())
        batch.losses.push_back({model::LossKind::ProcessesMissed, image, 1,
            "it has more rights than you, or a file that you cannot read, so that its CPU time is not sampled: record "
            "as "
            "root"});
    for (const auto &[image, counts] : m_losses) {
        for (std::size_t kind = 0; kind < counts.size(); ++kind) {
            if (counts[kind] > 0)
                batch.losses.push_back({static_cast<model::LossKind>(kind), image, counts[kind], "cpu samples"});
        }
    }
    for (const auto &[image, counts] : m_activityLosses) {
        for (std::size_t kind = 0; kind < counts.size(); ++kind) {
            if (counts[kind] > 0)
                batch.losses.push_back(
                    {static_cast<model::LossKind>(kind), image, counts[kind], "system calls and waits"});
        }
    }
    m_losses.clear();
    m_activityLosses.clear();
}

std::uint64_t CpuInstrument::missedSamples(std::uint64_t count)
{
    const bool isClock = m_events.setup().event == CpuEvent::CpuClock;
    if (isClock && !m_events.setup().hasKernel)
        return 0; // the clock counts time in the kernel too, which is not sampled then
    const std::uint64_t period = isClock ? 1'000'000'000 / std::max(m_options.hz, 1U)
                                         : m_periodsTaken / std::max<std::uint64_t>(m_samplesTaken, 1);
    if (period == 0)
        return 0;
    // The clock goes on while a virtual processor stands still, and one sample at most is taken then: of whatever ran, so no function has less for it.
    // The timer itself is not exact to more than a hundredth.
    const double share = 0.01 + (isClock ? m_stolenTime.takeShare() : 0);
    m_inexact += share * static_cast<double>(count - std::min(m_countBefore, count));
    m_countBefore = count;
    // A running thread is in the middle of a period, on each CPU it was on.
    const std::uint64_t notDue = (m_targets.threadCount() + m_hiddenForks) * m_events.cpuCount() * period
        + static_cast<std::uint64_t>(m_inexact);
    const std::uint64_t taken = m_periodsTaken + m_lostReported * period + notDue;
    return count > taken ? (count - taken) / period : 0;
}

void CpuInstrument::handle(PerfRecord &record)
{
    if (const auto *content = std::get_if<PerfSample>(&record.content))
        sample(record, *content);
    else if (m_processTable.isHidden(record.pid, m_targets.timestamp(record)))
        m_hiddenForks += std::holds_alternative<PerfFork>(record.content) ? 1 : 0;
    else if (!handleActivity(record))
        m_targets.apply(record);
}

/// The thread and image of a record. An exec that waits for its first mapping is announced before it is asked for.
ActivityOwner CpuInstrument::ownerOf(const PerfRecord &record)
{
    const model::Timestamp when = m_targets.timestamp(record);
    m_targets.spaceOf(record.pid, when);
    const model::ThreadId thread = m_processTable.threadSeen(record.pid, record.tid, when);
    return {thread, m_processTable.imageAt(record.pid, when)};
}

/// Whether a record is of system calls and waits alone.
bool CpuInstrument::handleActivity(PerfRecord &record)
{
    if (!m_activity)
        return false;
    ActivityTracker &tracker = m_activity->tracker();
    if (std::holds_alternative<PerfExit>(record.content))
        tracker.threadEnded(record.tid, record.timeNs);
    else if (const auto *name = std::get_if<PerfName>(&record.content); name && name->isExec)
        tracker.forget(record.pid);
    if (std::holds_alternative<CallsInterrupted>(record.content)) {
        tracker.interruptCalls(record.timeNs);
        return true;
    }
    if (const auto *resumed = std::get_if<CallsResumed>(&record.content)) {
        tracker.resumeCalls(record.timeNs, resumed->uncounted);
        return true;
    }
    if (record.pid <= 0 || record.tid <= 0)
        return false;
    const auto owner = [this, &record] { return ownerOf(record); };
    if (const auto *call = std::get_if<CallEntered>(&record.content))
        tracker.entered(record, *call, owner, [this, &record, call] { return stackAt(record, call->pc); });
    else if (const auto *returned = std::get_if<CallReturned>(&record.content))
        tracker.returned(record, *returned);
    else if (const auto *how = std::get_if<ThreadSwitched>(&record.content))
        tracker.switched(record, *how, owner);
    else if (const auto *copied = std::get_if<CopiedUserStack>(&record.content))
        stackCopied(record, *copied);
    else
        return false;
    return true;
}

void CpuInstrument::stackCopied(const PerfRecord &record, const CopiedUserStack &copied)
{
    const ActivityOwner owner = ownerOf(record);
    m_activity->tracker().stackCopied(
        record, copied, userStackOf(record, copied.sample, owner.image, m_activityLosses[owner.image]));
}

/// The function at `pc` alone: who called it is not known.
model::StackId CpuInstrument::stackAt(const PerfRecord &record, std::uint64_t pc)
{
    const model::ImageId image = ownerOf(record).image;
    const AddressSpace &space = m_targets.spaceOf(record.pid, m_targets.timestamp(record));
    const SampleFrame frame = m_unwinder.locate(pc, true, space, record.pid);
    return m_processTable.tables().stack(
        model::TableBuilder::root(model::StackEnd::Unreadable), m_namer.userFrame(frame, record.pid, image));
}

void CpuInstrument::sample(const PerfRecord &record, const PerfSample &content)
{
    if (m_isPaused || m_processTable.isHidden(record.pid, m_targets.timestamp(record)))
        return;
    if (record.pid <= 0 || record.tid <= 0) { // reaped while it was sampled: the kernel has no number for it any more
        ++m_losses[model::ImageId()][slot(model::LossKind::ProcessesMissed)];
        return;
    }
    const model::Timestamp when = m_targets.timestamp(record);
    m_targets.spaceOf(record.pid, when); // an exec waiting for its first mapping is announced before it is asked for
    const model::ThreadId thread = m_processTable.threadSeen(record.pid, record.tid, when);
    const model::ImageId image = m_processTable.imageAt(record.pid, when);
    ++m_samples[{thread, image, stackOf(record, content, image)}];
}

model::StackId CpuInstrument::stackOf(const PerfRecord &record, const PerfSample &content, model::ImageId image)
{
    model::TableBuilder &tables = m_processTable.tables();
    model::StackId node = userStackOf(record, content, image, m_losses[image]);
    if (!content.isInKernel || node == model::TableBuilder::root(model::StackEnd::TableFull))
        return node;
    const auto &chain = content.kernelChain;
    for (std::size_t i = chain.size(); i-- > 0;)
        node = tables.stack(node, m_namer.kernelFrame(chain[i], i == 0));
    if (chain.empty())
        node = tables.stack(node, m_namer.kernelFrame(content.pc, true));
    return node;
}

model::StackId CpuInstrument::userStackOf(
    const PerfRecord &record, const PerfSample &content, model::ImageId image, LossCounts &losses)
{
    model::TableBuilder &tables = m_processTable.tables();
    if (tables.tables().stacks.size() >= kMostStackNodes) {
        ++losses[slot(model::LossKind::StackTableFull)];
        return model::TableBuilder::root(model::StackEnd::TableFull);
    }
    const AddressSpace &space = m_targets.spaceOf(record.pid, m_targets.timestamp(record));
    const model::StackEnd end = m_unwinder.unwind(content, space, record.pid, m_frames);
    countEnd(end, losses);
    model::StackId node = model::TableBuilder::root(end);
    for (auto frame = m_frames.rbegin(); frame != m_frames.rend(); ++frame)
        node = tables.stack(node, m_namer.userFrame(*frame, record.pid, image));
    return node;
}

void CpuInstrument::countEnd(model::StackEnd end, LossCounts &losses)
{
    const auto count = [&](model::LossKind kind) { ++losses[slot(kind)]; };
    switch (end) {
    case model::StackEnd::ReachedStart:
        return;
    case model::StackEnd::Truncated:
        return count(model::LossKind::StacksTruncated);
    case model::StackEnd::NoUnwindInfo:
        return count(model::LossKind::StacksNoUnwindInfo);
    case model::StackEnd::BadRule:
        return count(model::LossKind::StacksBadRule);
    case model::StackEnd::Unreadable:
        return count(model::LossKind::StacksUnreadable);
    case model::StackEnd::TableFull:
        return count(model::LossKind::StackTableFull);
    }
}

} // namespace capture
