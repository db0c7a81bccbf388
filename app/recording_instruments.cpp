// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/recording_instruments.h"

#include "app/program_paths.h"
#include "capture/heap/heap_instrument.h"
#include "capture/perf/cpu_instrument.h"
#include "capture/proc/proc_reader.h"
#include "capture/proc/process_tree.h"
#include "capture/target/attach_preflight.h"
#include "capture/target/built_in_allocator.h"
#include "capture/target/executable_search.h"
#include "capture/target/program_kind.h"

#include <fmt/format.h>
#include <signal.h>

#include <cstdlib>
#include <ctime>

namespace app {

namespace {

/// As HeapInstrument::create() takes it.
std::uint64_t samplePeriodBytes(const model::CaptureConfig &config)
{
    return config.heap == model::HeapMode::Sampled ? static_cast<std::uint64_t>(config.heapPeriodBytes) : 0;
}

std::string environmentValue(const char *name)
{
    const char *value = std::getenv(name);
    return value ? value : "";
}

std::string commandFile(const model::CaptureConfig &config)
{
    const char *path = std::getenv("PATH");
    return capture::findExecutable(
        config.command.front(), path ? std::string_view(path) : capture::kDefaultSearchPath, config.workingDirectory);
}

/// For tests: the number of the step of an attach at which genprof kills itself.
constexpr const char *kDieAtStepVariable = "GENPROF_TEST_ATTACH_DIES_AT";

capture::StepHandler dieAtStep(const std::string &number)
{
    if (number.empty())
        return {};
    struct Progress
    {
        int left;
        std::string last;
    };
    // Shared, as handlers are copied and the detach goes on counting.
    return [progress = std::make_shared<Progress>(Progress{std::atoi(number.c_str()), {}})](const char *step) {
        progress->left -= progress->last != step ? 1 : 0;
        progress->last = step;
        if (progress->left <= 0)
            ::raise(SIGKILL);
    };
}

bool isSanitized(const std::string &file)
{
    capture::ProgramKind kind = capture::programKind(file);
    for (int depth = 0; kind.format == capture::ProgramFormat::Script && depth < 4; ++depth)
        kind = capture::programKind(kind.interpreter);
    return kind.hasAddressSanitizer;
}

} // namespace

RecordingInstruments::RecordingInstruments(
    const model::CaptureConfig &config, model::ProcessTable &processes, std::int64_t originNs)
    : m_config(config)
    , m_processes(processes)
    , m_originNs(originNs)
{
}

model::Result<std::unique_ptr<capture::HeapInstrument>> RecordingInstruments::makeHeap()
{
    auto heap = capture::HeapInstrument::create(
        m_processes, tracerPath(), m_originNs, samplePeriodBytes(m_config), m_socketFolder);
    if (heap && m_config.heap == model::HeapMode::Auto)
        (*heap)->setBudget(m_config.heapBudgetMilliPercent);
    if (heap && m_scansAtExit)
        (*heap)->scanAtExit();
    return heap;
}

std::vector<std::pair<std::string, std::string>> RecordingInstruments::prepareLaunch()
{
    if (m_config.heap == model::HeapMode::Off)
        return {};
    if (const std::string obstacle = capture::heapObstacle(commandFile(m_config)); !obstacle.empty())
        m_notes.push_back(obstacle + ". The rest is recorded");
    else if (const std::string own = capture::builtInAllocatorNote(commandFile(m_config)); !own.empty())
        m_notes.push_back(own);
    auto heap = makeHeap();
    if (!heap) {
        m_notes.push_back(heap.error().text() + "; the heap is not recorded");
        return {};
    }
    m_heap = heap->get();
    m_heap->setAgeBucket(m_config.ageBucket);
    if (m_config.whenFull == model::WhenFull::Drop)
        m_heap->letNobodyWait();
    auto environment = (*heap)->environment(environmentValue("LD_PRELOAD"));
    m_instruments.push_back(std::move(*heap)); // without a tracer too: it stores that there was none
    if (isSanitized(commandFile(m_config)))
        environment.clear(); // such a program refuses to start behind another preloaded library
    return environment;
}

void RecordingInstruments::open(const capture::TargetProcess &target, model::SessionInfo &info)
{
    if (target.isLaunched())
        announce(target);
    if (!target.isLaunched() && m_config.heap != model::HeapMode::Off)
        attachHeap(target.pid());
    if (m_heap && m_config.children == model::ChildMode::Ignore)
        m_heap->ignoreChildrenOf(target.pid());
    if (m_config.cpuHz > 0 || m_config.systemCalls || m_config.waits)
        openCpu(target, info);
    else if (m_heap)
        m_heap->tellEnds();
    openProc(target);
}

/// Loads the tracer into a process that runs. Where that is not possible the rest is recorded, and the session says why.
void RecordingInstruments::attachHeap(std::int32_t pid)
{
    auto heap = makeHeap();
    m_heapIsMissing = !heap;
    if (!heap) {
        m_notes.push_back(heap.error().text() + "; the heap is not recorded");
        return;
    }
    m_heap = heap->get();
    m_heap->setAgeBucket(m_config.ageBucket);
    if (m_config.whenFull == model::WhenFull::Drop)
        m_heap->letNobodyWait();
    const std::string obstacle = capture::attachObstacle(capture::probeAttach(pid, tracerPath()));
    if (!obstacle.empty()) {
        (*heap)->setAttachFailure(obstacle);
        m_heapIsMissing = true;
        m_notes.push_back(fmt::format("The heap of process {} cannot be traced. {}", pid, obstacle));
    } else {
        const capture::StepHandler onStep = dieAtStep(environmentValue(kDieAtStepVariable));
        const auto report = (*heap)->attach(pid, onStep);
        m_heapIsMissing = !report;
        if (!report)
            m_notes.push_back(report.error().text() + "; its heap is not recorded");
        else if (m_config.children == model::ChildMode::Ignore)
            sayWhatAttachMet({*report, {}});
        else
            sayWhatAttachMet((*heap)->attachDescendants(pid, onStep));
    }
    m_instruments.push_back(std::move(*heap));
}

void RecordingInstruments::sayWhatAttachMet(const capture::TreeInjection &tree)
{
    const capture::InjectionReport &report = tree.sum;
    if (const std::string missing = capture::sentenceOf(tree.leftOut, "The heap is not recorded of"); !missing.empty())
        m_notes.push_back(missing);
    if (report.interruptedCalls > 0)
        m_notes.push_back(
            fmt::format("{} of its system calls ended with EINTR, as stopping a thread makes a few of them do",
                report.interruptedCalls));
    if (report.answer.slotsElsewhere > 0)
        m_notes.push_back(fmt::format("{} calls lead to another allocator than most; their blocks are not recorded",
            report.answer.slotsElsewhere));
    if (report.answer.slotsFailed > 0)
        m_notes.push_back(fmt::format(
            "{} calls could not be redirected; the blocks they allocate are not recorded", report.answer.slotsFailed));
}

/// Tells what the target is about to run, so that one which ends before anybody could look at it is known all the same.
void RecordingInstruments::announce(const capture::TargetProcess &target)
{
    std::string arguments;
    for (const std::string &argument : m_config.command)
        arguments += argument + '\0';
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    const model::Timestamp when{std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec - m_originNs};
    m_processes.execSeen(target.pid(), when, model::ProcessSource::Launcher, commandFile(m_config),
        capture::quotedCommandLine(arguments));
}

void RecordingInstruments::openCpu(const capture::TargetProcess &target, model::SessionInfo &info)
{
    capture::CpuEventOptions options;
    options.hz = m_config.cpuHz;
    options.stackBytes = capture::stackBytesFor(options.hz);
    options.followsChildren = m_config.children == model::ChildMode::Follow;
    auto cpu = target.isLaunched()
        ? capture::CpuInstrument::launch(options, target.pid(), m_processes, m_originNs)
        : capture::CpuInstrument::attach(options, {target.pid()}, m_processes, m_originNs, {});
    const bool isTracing = m_config.systemCalls || m_config.waits;
    if (!cpu) {
        info.cpuNote = cpu.error().text();
        if (m_config.cpuHz > 0)
            m_notes.push_back(info.cpuNote + "; CPU time is not sampled");
        if (isTracing)
            sayActivity(info, info.cpuNote + "; system calls and waits are not recorded");
        return;
    }
    info.cpuEvent = (*cpu)->event();
    info.cpuNote = (*cpu)->note();
    info.cpuMissing = m_config.cpuHz > 0 ? capture::sentenceOf((*cpu)->leftOut(), "Not sampled:") : std::string();
    if (!info.cpuMissing.empty())
        m_notes.push_back(info.cpuMissing);
    if (isTracing) {
        const auto note = (*cpu)->traceActivity({.calls = m_config.systemCalls, .waits = m_config.waits},
            {target.pid()}, target.isLaunched() ? capture::TraceStart::AtExec : capture::TraceStart::Now);
        sayActivity(info, note ? *note : note.error().text());
    }
    m_instruments.push_back(std::move(*cpu));
}

/// What of system calls and waits is not granted, and what there is instead.
void RecordingInstruments::sayActivity(model::SessionInfo &info, const std::string &note)
{
    if (note.empty())
        return;
    info.activityNote = fmt::format("{} What the kernel counts for everybody is recorded: {} a second.", note,
        !m_config.waits             ? "reads and writes"
            : !m_config.systemCalls ? "voluntary and involuntary switches"
                                    : "reads and writes, voluntary and involuntary switches");
    m_notes.push_back(info.activityNote);
}

void RecordingInstruments::openProc(const capture::TargetProcess &target)
{
    capture::ProcOptions options;
    options.roots = {target.pid()};
    options.followsChildren = m_config.children == model::ChildMode::Follow;
    options.origin = target.isLaunched() ? capture::RootOrigin::Launched : capture::RootOrigin::Running;
    options.tick = m_config.tick;
    if (m_heap)
        options.knownMemory = [heap = m_heap](std::int32_t pid) { return heap->knownMemory(pid); };
    options.originNs = m_originNs;
    auto proc = std::make_unique<capture::ProcInstrument>(options, m_processes);
    m_proc = proc.get();
    m_instruments.push_back(std::move(proc));
}

capture::ScanSource *RecordingInstruments::scans() const { return m_heap; }

void RecordingInstruments::targetStarted(model::Timestamp now) { m_proc->start(now); }

} // namespace app
