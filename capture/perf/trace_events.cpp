// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/perf/trace_events.h"

#include "capture/perf/thread_list.h"
#include "capture/perf/tracepoint.h"
#include "capture/proc/process_tree.h"

#include <fmt/format.h>
#include <linux/version.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <ctime>

namespace capture {

namespace {

constexpr std::uint64_t kFormatLost = 1U << 4; ///< of Linux 6.0; older headers do not have it
constexpr std::size_t kLeastRingBytes = std::size_t{64} << 10;
constexpr std::size_t kMostRingBytes = std::size_t{8} << 20;
constexpr std::size_t kMostBytesOfAllRings = std::size_t{256} << 20;
constexpr std::uint16_t kMostKernelFrames = 40;

const char *const kAllowTracing = "record as root, or give genprof CAP_PERFMON and CAP_DAC_READ_SEARCH";

bool isForbidden(int error) { return error == EACCES || error == EPERM; }

perf_event_attr baseAttributes(TraceStart start, std::size_t ringBytes)
{
    perf_event_attr attributes = {};
    attributes.size = sizeof(attributes);
    attributes.disabled = start == TraceStart::AtExec ? 1 : 0;
    attributes.enable_on_exec = start == TraceStart::AtExec ? 1 : 0;
    attributes.inherit = 1;
    attributes.sample_id_all = 1;
    attributes.use_clockid = 1;
    attributes.clockid = CLOCK_MONOTONIC;
    attributes.watermark = 1;
    attributes.wakeup_watermark = static_cast<std::uint32_t>(ringBytes / 4);
    attributes.exclude_callchain_user = 1;
    attributes.sample_period = 1;
    return attributes;
}

std::uint64_t monotonicNs()
{
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<std::uint64_t>(now.tv_nsec);
}

void copyStacks(perf_event_attr &attributes, const TraceOptions &options)
{
    attributes.sample_type = kStackSampleType;
    attributes.sample_regs_user = kCpuRegisters;
    attributes.sample_stack_user = options.stackBytes;
}

} // namespace

model::Result<void> TraceEvents::joinRing(Rings &rings, std::size_t cpuIndex, int fd)
{
    if (rings.owners[cpuIndex] >= 0) {
        if (ioctl(fd, PERF_EVENT_IOC_SET_OUTPUT, rings.owners[cpuIndex]) != 0)
            return model::systemError(fmt::format("Joining the trace ring of CPU {}", m_cpus[cpuIndex]), errno);
        return {};
    }
    for (;;) {
        int error = 0;
        rings.rings[cpuIndex] = PerfRing::map(fd, rings.bytes, error);
        if (error == 0)
            break;
        // More than kernel.perf_event_mlock_kb grants: a smaller ring loses records sooner, and then says so.
        if ((error != EPERM && error != ENOMEM) || rings.bytes <= kLeastRingBytes)
            return model::systemError(
                fmt::format("Mapping a trace ring of {} KiB for CPU {}", rings.bytes >> 10, m_cpus[cpuIndex]), error,
                "allow more with: sudo sysctl kernel.perf_event_mlock_kb=1028");
        rings.bytes /= 2;
    }
    rings.owners[cpuIndex] = fd;
    if (&rings == &m_records) // stacks are read in their own time
        m_descriptors.push_back(fd);
    return {};
}

TraceEvents::Rings &TraceEvents::ringsOf(TraceRecordKind kind)
{
    return kind == TraceRecordKind::EnterStack ? m_callStacks
        : kind == TraceRecordKind::SwitchStack ? m_switchStacks
                                               : m_records;
}

perf_event_attr TraceEvents::attributesOf(TraceRecordKind kind, const TraceOptions &options, TraceStart start) const
{
    perf_event_attr attributes = baseAttributes(start, m_records.bytes);
    attributes.type = PERF_TYPE_SOFTWARE;
    attributes.config = PERF_COUNT_SW_CONTEXT_SWITCHES;
    switch (kind) {
    case TraceRecordKind::Enter:
    case TraceRecordKind::EnterStack:
    case TraceRecordKind::Exit:
        attributes.type = PERF_TYPE_TRACEPOINT;
        attributes.config = kind == TraceRecordKind::Exit ? m_exitTracepoint : m_enterTracepoint;
        attributes.sample_type = kind == TraceRecordKind::Exit ? kExitSampleType : kEnterSampleType;
        attributes.sample_regs_user = kind == TraceRecordKind::Exit ? 0 : kPlaceRegisters;
        break;
    case TraceRecordKind::Switch: // needs no right
        attributes.config = PERF_COUNT_SW_DUMMY;
        attributes.sample_type = kTraceBase;
        attributes.exclude_kernel = 1;
        attributes.context_switch = 1;
        break;
    case TraceRecordKind::SwitchStack:
    case TraceRecordKind::Unknown:
        break;
    }
    const bool isStack = kind == TraceRecordKind::EnterStack || kind == TraceRecordKind::SwitchStack;
    if (isStack)
        copyStacks(attributes, options);
    if (kind == TraceRecordKind::SwitchStack) {
        attributes.sample_type = kSwitchSampleType;
        attributes.sample_max_stack = kMostKernelFrames;
    }
    return attributes;
}

model::Result<void> TraceEvents::openEvent(
    const TraceOptions &options, TraceRecordKind kind, pid_t thread, std::size_t cpuIndex, TraceStart start)
{
    perf_event_attr attributes = attributesOf(kind, options, start);
    int error = 0;
    PerfDescriptor event;
    for (;;) {
        attributes.read_format = m_hasLostCount ? kFormatLost : 0;
#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 13, 0)
        attributes.inherit_thread = !options.followsChildren && m_hasInheritThread ? 1 : 0;
#endif
        event = openPerfEvent(attributes, thread, m_cpus[cpuIndex], error);
        if (event.get() >= 0 || (error != EINVAL && error != E2BIG))
            break;
        // The kernel is older than a feature; give up the newest first.
        if (m_hasLostCount)
            m_hasLostCount = false;
        else if (m_hasInheritThread && !options.followsChildren)
            m_hasInheritThread = false;
        else
            break;
    }
    if (error == ENODEV)
        return {}; // the CPU is offline
    if (event.get() < 0)
        return model::systemError(fmt::format("Tracing thread {}", thread), error,
            isForbidden(error) ? kAllowTracing : "raise the limit of open files (ulimit -n)");
    std::uint64_t id = 0;
    if (ioctl(event.get(), PERF_EVENT_IOC_ID, &id) != 0)
        return model::systemError("Asking for the id of a trace event", errno);
    if (auto joined = joinRing(ringsOf(kind), cpuIndex, event.get()); !joined)
        return joined;
    m_kinds.emplace(id, kind);
    m_events.push_back({kind, std::move(event)});
    return {};
}

model::Result<void> TraceEvents::openThread(
    const TraceOptions &options, pid_t thread, TraceStart start, const std::vector<bool> &wanted)
{
    m_threads.add(thread);
    std::size_t number = 0;
    const auto opened = [&] { m_threads.opened(thread, number++, monotonicNs()); };
    for (std::size_t cpu = 0; cpu < m_cpus.size(); ++cpu) {
        for (const TraceRecordKind kind : m_perCpu) {
            if (!wanted[number]) {
                ++number;
                continue;
            }
            if (auto outcome = openEvent(options, kind, thread, cpu, start); !outcome)
                return outcome;
            opened();
        }
    }
    if (!m_hasCalls || !wanted[number])
        return {};
    auto outcome = openCounter(options, thread, start);
    if (outcome)
        opened();
    return outcome;
}

model::Result<void> TraceEvents::openCounter(const TraceOptions &options, pid_t thread, TraceStart start)
{
    perf_event_attr counter = baseAttributes(start, m_records.bytes);
    counter.type = PERF_TYPE_TRACEPOINT;
    counter.config = m_enterTracepoint;
    counter.sample_period = 0;
    counter.sample_id_all = 0;
    counter.watermark = 0;
    counter.wakeup_watermark = 0;
#if LINUX_VERSION_CODE >= KERNEL_VERSION(5, 13, 0)
    counter.inherit_thread = !options.followsChildren && m_hasInheritThread ? 1 : 0;
#endif
    int error = 0;
    PerfDescriptor event = openPerfEvent(counter, thread, -1, error);
    if (event.get() < 0)
        return model::systemError(fmt::format("Counting the system calls of thread {}", thread), error);
    m_counters.push_back(std::move(event));
    return {};
}

model::Result<void> TraceEvents::prepare(const TraceOptions &options)
{
    m_cpus = presentCpus();
    const std::size_t most = std::bit_floor(kMostBytesOfAllRings / std::max<std::size_t>(m_cpus.size(), 1));
    m_records.bytes = std::clamp(most, kLeastRingBytes, kMostRingBytes);
    m_callStacks.bytes = m_switchStacks.bytes = std::max(m_records.bytes / 2, kLeastRingBytes);
    for (Rings *rings : {&m_records, &m_callStacks, &m_switchStacks}) {
        rings->rings.resize(m_cpus.size());
        rings->owners.assign(m_cpus.size(), -1);
    }
    const TraceRights rights = probeTraceRights();
    m_hasCalls = options.calls && rights.calls.empty();
    m_hasWaits = options.waits && rights.waits.empty();
    m_hasSwitchPlaces = m_hasWaits && rights.switchPlaces.empty();
    const auto add = [this](bool isWanted, const std::string &why) {
        if (isWanted && !why.empty())
            m_note += (m_note.empty() ? "" : " ") + why;
    };
    add(options.calls, rights.calls);
    add(options.waits, rights.waits);
    add(options.waits && rights.waits.empty(), rights.switchPlaces);
    if (!m_hasCalls && !m_hasWaits)
        return model::Error(m_note);
    if (m_hasCalls) {
        m_enterTracepoint = tracepointId("raw_syscalls/sys_enter").value_or(0);
        m_exitTracepoint = tracepointId("raw_syscalls/sys_exit").value_or(0);
        m_perCpu = {TraceRecordKind::Enter, TraceRecordKind::Exit, TraceRecordKind::EnterStack};
    }
    if (m_hasWaits)
        m_perCpu.push_back(TraceRecordKind::Switch);
    if (m_hasSwitchPlaces)
        m_perCpu.push_back(TraceRecordKind::SwitchStack);
    m_threads = ThreadOpenings(m_cpus.size() * m_perCpu.size() + 1);
    return {};
}

model::Result<TraceEvents> TraceEvents::openAtExec(const TraceOptions &options, const std::vector<pid_t> &pids)
{
    TraceEvents events;
    if (pids.empty())
        return model::Error("No process to trace");
    if (auto prepared = events.prepare(options); !prepared)
        return prepared.error();
    for (const pid_t pid : pids)
        if (auto opened = events.openThread(options, pid, TraceStart::AtExec, events.m_threads.missing(pid, {}));
            !opened)
            return opened.error();
    return events;
}

/// The opening of events of threads that run.
struct TraceEvents::RunningScan
{
    const TraceOptions &options;
    const std::vector<pid_t> &roots;
    const ReadForks &readForks;
    std::vector<LeftOutProcess> leftOut;
};

/// Returns whether there was anything new. A thread of a descendant that cannot be traced leaves that one out; one of a root is a failure.
model::Result<bool> TraceEvents::scanOnce(RunningScan &scan)
{
    bool isNew = false;
    for (const pid_t root : scan.roots) {
        const auto tree = scan.options.followsChildren ? processTree(root) : std::vector<TreeProcess>{{root, 0}};
        for (const auto &[pid, parent] : tree) {
            for (const pid_t thread : threadsOf(pid)) {
                const bool isLeftOut = !scan.leftOut.empty() && scan.leftOut.back().pid == pid;
                if (m_threads.knows(thread) || isLeftOut)
                    continue;
                isNew = true;
                const std::vector<bool> missing = m_threads.missing(thread, scan.readForks());
                auto opened = openThread(scan.options, thread, TraceStart::Now, missing);
                if (opened || threadsOf(thread).empty())
                    continue;
                if (pid == root)
                    return opened.error();
                scan.leftOut.push_back(leftOutProcess(pid, opened.error().text()));
            }
        }
    }
    return isNew;
}

model::Result<TraceEvents> TraceEvents::openRunning(
    const TraceOptions &options, const std::vector<pid_t> &pids, const ReadForks &readForks)
{
    TraceEvents events;
    if (pids.empty())
        return model::Error("No process to trace");
    if (auto prepared = events.prepare(options); !prepared)
        return prepared.error();
    RunningScan scan{options, pids, readForks, {}};
    // Threads that start meanwhile inherit, or are found in the next round.
    constexpr int kMostScans = 20;
    for (int round = 0; round < kMostScans; ++round) {
        const auto isNew = events.scanOnce(scan);
        if (!isNew)
            return isNew.error();
        if (!*isNew)
            break;
        usleep(1000); // a thread shows in /proc a moment before its fork record is in the ring
    }
    if (const std::string missing = sentenceOf(scan.leftOut, "System calls and waits are not recorded of");
        !missing.empty())
        events.m_note += (events.m_note.empty() ? "" : " ") + missing + '.';
    return events;
}

void TraceEvents::dropEnded()
{
    std::erase_if(m_descriptors, [](int fd) {
        pollfd poller = {.fd = fd, .events = POLLIN, .revents = 0};
        return poll(&poller, 1, 0) > 0 && (poller.revents & (POLLHUP | POLLERR)) != 0;
    });
}

TraceRecordKind TraceEvents::kindOf(std::uint64_t id) const
{
    const auto found = m_kinds.find(id);
    return found == m_kinds.end() ? TraceRecordKind::Unknown : found->second;
}

void TraceEvents::setEnabled(TraceRecordKind kind, bool isEnabled)
{
    for (const Event &event : m_events)
        if (event.kind == kind)
            ioctl(event.descriptor.get(), isEnabled ? PERF_EVENT_IOC_ENABLE : PERF_EVENT_IOC_DISABLE, 0);
}

void TraceEvents::setCallsEnabled(bool isEnabled)
{
    setEnabled(TraceRecordKind::Enter, isEnabled);
    setEnabled(TraceRecordKind::Exit, isEnabled);
}

void TraceEvents::setCallStacksEnabled(bool isEnabled) { setEnabled(TraceRecordKind::EnterStack, isEnabled); }

TraceEvents::CallCount TraceEvents::callCount() const
{
    CallCount sum;
    for (const PerfDescriptor &counter : m_counters) {
        std::uint64_t value = 0;
        if (read(counter.get(), &value, sizeof(value)) == static_cast<ssize_t>(sizeof(value)))
            sum.calls += static_cast<std::int64_t>(value);
    }
    sum.timeNs = monotonicNs();
    return sum;
}

std::optional<std::uint64_t> TraceEvents::lostCount() const
{
    if (!m_hasLostCount)
        return std::nullopt;
    std::uint64_t sum = 0;
    for (const Event &event : m_events) {
        std::uint64_t values[2] = {}; // count, lost
        if (event.kind == TraceRecordKind::EnterStack || event.kind == TraceRecordKind::SwitchStack)
            continue;
        if (read(event.descriptor.get(), values, sizeof(values)) == static_cast<ssize_t>(sizeof(values)))
            sum += values[1];
    }
    return sum;
}

namespace {

/// errno of opening such an event on ourselves; 0: it can be.
int tryEvent(std::uint32_t type, std::uint64_t config, bool withKernel)
{
    perf_event_attr attributes = baseAttributes(TraceStart::Now, 65536);
    attributes.type = type;
    attributes.config = config;
    attributes.sample_type = withKernel ? kEnterSampleType : kTraceBase;
    attributes.sample_regs_user = withKernel ? kPlaceRegisters : 0;
    attributes.exclude_kernel = withKernel ? 0 : 1;
    attributes.disabled = 1;
    attributes.context_switch = type == PERF_TYPE_SOFTWARE ? 1 : 0;
    int error = 0;
    const PerfDescriptor event = openPerfEvent(attributes, 0, -1, error);
    return error;
}

} // namespace

TraceRights probeTraceRights()
{
    TraceRights rights;
    const long paranoid = readKernelNumber("/proc/sys/kernel/perf_event_paranoid", 2);
    const auto enter = tracepointId("raw_syscalls/sys_enter");
    const int callsErrno = enter ? tryEvent(PERF_TYPE_TRACEPOINT, *enter, true) : 0;
    if (!enter)
        rights.calls = fmt::format(
            "System calls cannot be recorded: the tracepoint raw_syscalls:sys_enter below /sys/kernel/tracing {}; {}.",
            tracepointObstacle(), kAllowTracing);
    else if (callsErrno != 0)
        rights.calls = fmt::format("System calls cannot be recorded: tracepoints are refused ({}; "
                                   "kernel.perf_event_paranoid is {}); {}.",
            model::errnoText(callsErrno), paranoid, kAllowTracing);
    const int placesErrno = tryEvent(PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CONTEXT_SWITCHES, true);
    if (placesErrno != 0)
        rights.switchPlaces = fmt::format("Waits are recorded without their stacks and reasons, as the kernel refuses "
                                          "them ({}; kernel.perf_event_paranoid is {}); allow them with: sudo sysctl "
                                          "kernel.perf_event_paranoid=1.",
            model::errnoText(placesErrno), paranoid);
    if (placesErrno != 0)
        if (const int error = tryEvent(PERF_TYPE_SOFTWARE, PERF_COUNT_SW_DUMMY, false); error != 0)
            rights.waits = fmt::format("Waits cannot be recorded: perf events are refused ({}; "
                                       "kernel.perf_event_paranoid is {}); allow them with: sudo sysctl "
                                       "kernel.perf_event_paranoid=1.",
                model::errnoText(error), paranoid);
    return rights;
}

} // namespace capture
