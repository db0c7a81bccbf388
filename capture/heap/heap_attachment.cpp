// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/heap/heap_attachment.h"

#include "capture/pidfd.h"

#include <poll.h>
#include <pthread.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <csignal>

namespace capture {

namespace {

/// How long the calls of a newly loaded module may go unseen. A look takes a microsecond.
constexpr std::chrono::milliseconds kLookInterval{50};
/// A look that fails is repeated, each time after twice as long, up to this. The program's threads are stopped for each.
constexpr std::chrono::milliseconds kLongestPause{5000};
/// One that failed so long counts as given up: calls have gone unseen. It is still tried now and then, for the calls to come.
constexpr std::chrono::milliseconds kPauseOfGivenUp{60'000};
/// How long what loading the tracer came to is known of a program that is over: its last events may still be in its rings.
constexpr std::chrono::minutes kRemembered{1};

} // namespace

HeapAttachment::Program::Program(std::int32_t ofPid, const InjectionReport &ofReport)
    : pid(ofPid)
    , report(ofReport)
    , modules(ofPid)
    // What came between the attach and the first look: the tracer itself is on the list, and was not counted.
    , isDue(ofReport.answer.modules != 0 && modules->count() != std::size_t{ofReport.answer.modules} + 1)
    , pause(kLookInterval)
{
}

HeapAttachment::HeapAttachment(std::string address, TracerInjector::Options options)
    : m_address(std::move(address))
    , m_options(std::move(options))
    , m_thread([this](const std::stop_token &stop) {
        ::pthread_setname_np(::pthread_self(), "heap-modules");
        watchModules(stop);
    })
{
}

model::Result<InjectionReport> HeapAttachment::include(std::int32_t pid, const StepHandler &onStep)
{
    TracerInjector::Options options = m_options;
    options.onStep = onStep;
    auto report = TracerInjector(pid, options).start(m_address);
    if (report)
        addProgram(pid, *report);
    return report;
}

void HeapAttachment::addProgram(std::int32_t pid, const InjectionReport &report)
{
    auto program = std::make_unique<Program>(pid, report);
    const std::lock_guard lock(m_mutex);
    for (const auto &earlier : m_programs)
        earlier->isReplaced = earlier->isReplaced || earlier->pid == pid;
    m_programs.push_back(std::move(program));
    add(pid);
}

/// Under the lock. Of two that had this number one after the other, the later.
const HeapAttachment::Program *HeapAttachment::find(std::int32_t pid) const
{
    const auto found = std::find_if(
        m_programs.rbegin(), m_programs.rend(), [pid](const auto &program) { return program->pid == pid; });
    return found == m_programs.rend() ? nullptr : found->get();
}

InjectionReport HeapAttachment::report(std::int32_t pid)
{
    const std::lock_guard lock(m_mutex);
    const Program *program = find(pid);
    return program ? program->report : InjectionReport();
}

std::int64_t HeapAttachment::scansGivenUp(std::int32_t pid)
{
    const std::lock_guard lock(m_mutex);
    const Program *program = find(pid);
    return program ? program->scansGivenUp.load() : 0;
}

HeapAttachment::~HeapAttachment()
{
    m_thread.request_stop();
    if (m_thread.joinable())
        m_thread.join();
    const std::lock_guard lock(m_mutex);
    // One that ends meanwhile is no failure.
    for (const Member &member : m_family)
        if (!hasEnded(member))
            static_cast<void>(TracerInjector(member.pid, m_options).stop(m_address));
}

void HeapAttachment::joined(std::int32_t pid)
{
    const std::lock_guard lock(m_mutex);
    add(pid);
}

bool HeapAttachment::holds(std::int32_t pid)
{
    const std::lock_guard lock(m_mutex);
    return isRunning(pid);
}

/// Under the lock.
void HeapAttachment::add(std::int32_t pid)
{
    const auto isIt = [pid](const Member &known) { return known.pid == pid && !hasEnded(known); };
    if (std::any_of(m_family.begin(), m_family.end(), isIt))
        return;
    Member member{pid, FileDescriptor(openPidfd(pid))};
    if (member.process.isOpen() || errno != ESRCH)
        m_family.push_back(std::move(member));
}

/// Those whose modules are still to be watched.
std::vector<HeapAttachment::Program *> HeapAttachment::dropEnded()
{
    const auto now = std::chrono::steady_clock::now();
    std::vector<Program *> running;
    const std::lock_guard lock(m_mutex);
    std::erase_if(m_family, hasEnded);
    for (const auto &program : m_programs) {
        if (!program->gone && (program->isReplaced || !isRunning(program->pid))) {
            program->gone = now;
            program->modules.reset();
        }
        if (!program->gone)
            running.push_back(program.get());
    }
    std::erase_if(
        m_programs, [now](const auto &program) { return program->gone && now - *program->gone > kRemembered; });
    return running;
}

/// Under the lock.
bool HeapAttachment::isRunning(std::int32_t pid) const
{
    return std::any_of(m_family.begin(), m_family.end(), [pid](const Member &member) { return member.pid == pid; });
}

bool HeapAttachment::scan(std::int32_t pid)
{
    const auto report = TracerInjector(pid, m_options).scan(m_address);
    return report && report->answer.status != wire::AttachStatus::NotRun;
}

bool HeapAttachment::hasEnded(const Member &member)
{
    if (!member.process.isOpen())
        return ::kill(member.pid, 0) != 0 && errno == ESRCH;
    pollfd end{member.process.get(), POLLIN, 0};
    return ::poll(&end, 1, 0) > 0;
}

void HeapAttachment::watchModules(const std::stop_token &stop)
{
    std::mutex mutex;
    std::condition_variable_any wakeup;
    std::unique_lock lock(mutex);
    while (!wakeup.wait_for(lock, stop, kLookInterval, [&stop] { return stop.stop_requested(); })) {
        for (Program *program : dropEnded())
            if (!stop.stop_requested())
                look(*program);
    }
}

void HeapAttachment::look(Program &program)
{
    using Clock = std::chrono::steady_clock;
    if (program.modules->hasChanged()) {
        program.isDue = true;
        program.pause = kLookInterval;
        program.next = {};
    }
    if (!program.isDue || Clock::now() < program.next)
        return;
    program.isDue = !scan(program.pid);
    program.next = Clock::now() + program.pause;
    if (program.isDue && program.pause == kLongestPause) {
        program.pause = kPauseOfGivenUp;
        ++program.scansGivenUp;
    } else if (program.pause < kLongestPause) {
        program.pause = std::min(program.pause * 2, kLongestPause);
    }
}

} // namespace capture
