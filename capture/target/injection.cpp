// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/target/injection.h"

#include "capture/target/thread_choice.h"

#include <dlfcn.h>
#include <fmt/format.h>
#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <thread>

namespace capture {

namespace {

using Clock = std::chrono::steady_clock;
using model::Error;

constexpr std::array<std::uint8_t, 3> kSyscallReturn{0x0f, 0x05, 0xc3};
constexpr std::array<std::uint8_t, 9> kRestorer{0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05};
constexpr std::uint64_t kInternalOpen = 0x80000000; // __RTLD_DLOPEN, which __libc_dlopen_mode wants
constexpr std::chrono::microseconds kStopLimit{50'000};

std::string_view nameOf(std::string_view path) { return path.substr(path.rfind('/') + 1); }

/// A thread of the target stands still while we do not run: on a busy machine that is what takes longest. Asks for precedence, and does
/// without where it is not granted. This thread sleeps whenever it waits.
void hurry()
{
    sched_param priority{};
    priority.sched_priority = 10;
    if (::pthread_setschedparam(::pthread_self(), SCHED_RR, &priority) != 0)
        ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), -10);
}

} // namespace

model::Result<void> Injection::findPlaces()
{
    m_libc = m_process.findLibrary(isLibcName);
    if (!m_libc)
        return Error("it does not use glibc");
    const auto libdl = m_process.findLibrary(
        [](std::string_view name) { return name == "libdl.so.2" || (name.starts_with("libdl-2.")); });
    const auto find = [&](std::initializer_list<const char *> names) {
        for (const char *name : names) {
            if (const std::uint64_t address = m_libc->find(name))
                return address;
            if (const std::uint64_t address = libdl ? libdl->find(name) : 0)
                return address;
        }
        return std::uint64_t{0};
    };
    m_places.dlopen = find({"dlopen"});
    m_places.dlopenFlags = RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE;
    if (m_places.dlopen == 0) {
        m_places.dlopen = find({"__libc_dlopen_mode"}); // until glibc 2.33, where libdl is not loaded
        m_places.dlopenFlags |= kInternalOpen;
    }
    m_places.dlsym = find({"dlsym", "__libc_dlsym"});
    m_places.dlerror = find({"dlerror", "getpid"}); // whose result is no address, and is never read as one
    const std::uint64_t syscallReturn = m_libc->functions.findCode(kSyscallReturn);
    const std::uint64_t restorer = m_libc->functions.findCode(kRestorer);
    m_places.syscallReturn = syscallReturn + m_libc->bias;
    m_places.restorer = restorer + m_libc->bias;
    if (m_places.dlopen == 0 || m_places.dlsym == 0 || m_places.dlerror == 0 || syscallReturn == 0 || restorer == 0)
        return Error(fmt::format("its C library {} has no dlopen that could be called", m_libc->path));
    return {};
}

/// A tracer that is there already, from an earlier time or loaded with the program: it is the one that hooks.
std::optional<std::string> Injection::presentTracer() const
{
    for (const MemoryMapping &mapping : m_process.mappings())
        if (mapping.isFile() && !mapping.isDeleted && nameOf(mapping.path) == nameOf(m_options.tracerPath))
            return mapping.path;
    return std::nullopt;
}

model::Result<std::string> Injection::tracerPath() const
{
    if (const auto present = presentTracer())
        return *present;
    struct stat ours = {}, theirs = {};
    const std::string seen = fmt::format("/proc/{}/root{}", m_process.pid(), m_options.tracerPath);
    if (::stat(m_options.tracerPath.c_str(), &ours) != 0)
        return model::systemError("cannot read the tracer " + m_options.tracerPath, errno);
    if (::stat(seen.c_str(), &theirs) != 0 || theirs.st_size != ours.st_size)
        return Error(fmt::format(
            "it does not see the tracer {0} in its own file system; copy it to {0} there", m_options.tracerPath));
    return m_options.tracerPath;
}

void Injection::releaseReluctant()
{
    std::erase_if(m_reluctant, [this](const auto &thread) {
        const TracedThread::Stop stop = thread->wait(std::chrono::microseconds(0));
        user_regs_struct registers;
        if (stop == TracedThread::Stop::Interrupt && thread->readGeneral(registers)) {
            m_report.interruptedCalls += hideInterruption(registers, m_process.pid(), thread->tid()) ? 1 : 0;
            thread->writeGeneral(registers);
        }
        return stop != TracedThread::Stop::None;
    });
}

bool Injection::tryThread(std::int32_t tid, const std::string &path, SafePoint &safePoint)
{
    const auto step = [this](const char *name) {
        if (m_options.onStep)
            m_options.onStep(name);
    };
    releaseReluctant();
    auto owned = std::make_unique<TracedThread>(tid);
    TracedThread &thread = *owned;
    step("seize a thread");
    if (const int error = thread.seize(); error != 0) {
        if (error != ESRCH)
            m_obstacle = "it may not be traced: " + model::errnoText(error);
        return false;
    }
    step("stop it");
    const auto begin = Clock::now();
    const TracedThread::Stop stop = thread.interrupt(kStopLimit);
    ++m_report.threadsAsked;
    ThreadRegisters registers;
    if (stop == TracedThread::Stop::None)
        m_reluctant.push_back(std::move(owned));
    if (stop != TracedThread::Stop::Interrupt || !thread.read(registers)) {
        m_obstacle = stop == TracedThread::Stop::Job ? "it is stopped (continue it with kill -CONT)"
                                                     : "a thread cannot be stopped: it waits for a device";
        return false;
    }
    step("look at its stack");
    const std::string obstacle = safePoint.obstacle(registers, tid);
    m_report.interruptedCalls += hideInterruption(registers.general, m_process.pid(), tid) ? 1 : 0;
    bool isDone = false;
    if (obstacle.empty()) {
        m_report.tid = tid;
        BorrowedThread borrowed(thread, m_process, m_places, registers, m_options.onStep);
        m_outcome = borrowed.run(path, m_report.answer, m_options.callLimit, [this] { releaseReluctant(); });
        isDone = m_outcome || borrowed.hasStarted();
        if (!isDone)
            m_obstacle = fmt::format("thread {}: {}", tid, m_outcome.error().text());
    } else {
        m_obstacle = fmt::format("thread {} is in {}", tid, obstacle);
        thread.writeGeneral(registers.general);
        thread.detach();
    }
    const std::int64_t stoppedNs = std::chrono::nanoseconds(Clock::now() - begin).count();
    m_report.longestStopNs = std::max(m_report.longestStopNs, stoppedNs);
    return isDone;
}

model::Result<InjectionReport> Injection::run(const wire::AttachCommand &command)
{
    if (!m_process.isOpen())
        return model::systemError("its memory may not be accessed", errno);
    m_report.answer = command;
    if (command.action != wire::AttachAction::Start && !presentTracer()) {
        // It runs another program now, or is another process with the same number.
        m_report.answer.status = wire::AttachStatus::NotActive;
        return m_report;
    }
    if (const auto found = findPlaces(); !found)
        return found.error();
    const auto path = tracerPath();
    if (!path)
        return path.error();
    m_report.answer.dlsym = m_places.dlsym;
    SafePoint safePoint(m_process, *m_libc);
    hurry();
    const auto begin = Clock::now();
    while (Clock::now() - begin < m_options.searchLimit) {
        const std::vector<std::int32_t> tids = threadsByPatience(m_process.pid());
        if (tids.empty())
            return Error("it has ended");
        for (const std::int32_t tid : tids) {
            if (!tryThread(tid, *path, safePoint))
                continue;
            if (!m_outcome)
                return m_outcome.error();
            return m_report;
        }
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
        m_process.refresh(); // stacks have come, and the first one has grown
    }
    return Error(fmt::format("no thread was met where a call could be made: {}", m_obstacle));
}

} // namespace capture
