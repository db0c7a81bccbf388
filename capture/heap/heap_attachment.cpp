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

} // namespace

model::Result<std::unique_ptr<HeapAttachment>> HeapAttachment::start(
    std::int32_t pid, const std::string &address, TracerInjector::Options options)
{
    auto report = TracerInjector(pid, options).start(address);
    if (!report)
        return report.error();
    std::unique_ptr<HeapAttachment> attachment(new HeapAttachment(pid, address, std::move(options), *report));
    HeapAttachment *raw = attachment.get();
    attachment->m_thread = std::jthread([raw](const std::stop_token &stop) {
        ::pthread_setname_np(::pthread_self(), "heap-modules");
        raw->watchModules(stop);
    });
    return attachment;
}

HeapAttachment::HeapAttachment(
    std::int32_t pid, std::string address, TracerInjector::Options options, InjectionReport report)
    : m_pid(pid)
    , m_address(std::move(address))
    , m_options(std::move(options))
    , m_report(report)
{
    add(pid);
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

void HeapAttachment::forked(std::int32_t pid)
{
    const std::lock_guard lock(m_mutex);
    add(pid);
}

void HeapAttachment::add(std::int32_t pid)
{
    Member member{pid, FileDescriptor(openPidfd(pid))};
    if (member.process.isOpen() || errno != ESRCH)
        m_family.push_back(std::move(member));
}

void HeapAttachment::dropEnded()
{
    const std::lock_guard lock(m_mutex);
    std::erase_if(m_family, hasEnded);
}

bool HeapAttachment::isRunning()
{
    const std::lock_guard lock(m_mutex);
    return std::any_of(m_family.begin(), m_family.end(), [this](const Member &member) { return member.pid == m_pid; });
}

bool HeapAttachment::scan()
{
    const auto report = TracerInjector(m_pid, m_options).scan(m_address);
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
    LinkMapWatch modules(m_pid);
    // What came between the attach and the first look: the tracer itself is on the list, and was not counted.
    const std::size_t seen = m_report.answer.modules;
    bool isDue = seen != 0 && modules.count() != seen + 1;
    using Clock = std::chrono::steady_clock;
    auto pause = kLookInterval;
    Clock::time_point next;
    while (!wakeup.wait_for(lock, stop, kLookInterval, [&stop] { return stop.stop_requested(); })) {
        dropEnded();
        if (modules.hasChanged()) {
            isDue = true;
            pause = kLookInterval;
            next = {};
        }
        if (!isDue || Clock::now() < next)
            continue;
        isDue = isRunning() && !scan();
        next = Clock::now() + pause;
        if (isDue && pause == kLongestPause) {
            pause = kPauseOfGivenUp;
            ++m_scansGivenUp;
        } else if (pause < kLongestPause) {
            pause = std::min(pause * 2, kLongestPause);
        }
    }
}

} // namespace capture
