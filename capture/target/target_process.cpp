// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/target/target_process.h"

#include "capture/pidfd.h"
#include "capture/proc/proc_clock.h"
#include "capture/proc/proc_reader.h"
#include "capture/target/target_child.h"

#include <errno.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

namespace capture {

namespace {

constexpr std::int64_t kOwnPagesBytes = 1 << 20; ///< what a forked child has of its own before its exec is less

struct Pipe
{
    FileDescriptor readEnd;
    FileDescriptor writeEnd;
};

model::Result<Pipe> makePipe()
{
    int ends[2] = {-1, -1};
    if (::pipe2(ends, O_CLOEXEC) != 0)
        return model::systemError(
            "Cannot make a pipe to the program to be launched", errno, "raise the limit of open files (ulimit -n)");
    return Pipe{FileDescriptor(ends[0]), FileDescriptor(ends[1])};
}

model::Result<FileDescriptor> watchProcess(pid_t pid)
{
    const int fd = openPidfd(pid);
    if (fd < 0)
        return model::systemError(
            fmt::format("Cannot watch process {}", pid), errno, errno == ENOSYS ? "this needs Linux 5.3 or later" : "");
    return FileDescriptor(fd);
}

/// Why a process cannot be recorded that nobody launched, and what to try; empty where nothing is known against it.
std::string whyNotRecorded(pid_t pid)
{
    const auto status = readProcFile(fmt::format("/proc/{}/status", pid));
    if (!status)
        return fmt::format("There is no process {}; pgrep -l NAME finds the number of a program", pid);
    pid_t group = pid;
    char state = '?';
    bool hasMemory = false;
    forEachField(*status, [&](std::string_view name, std::string_view rest) {
        if (name == "Tgid")
            group = static_cast<pid_t>(parseNumber(rest).value_or(pid));
        else if (name == "State")
            state = rest.size() > 1 ? rest[1] : '?';
        hasMemory = hasMemory || name == "VmSize";
    });
    if (group != pid)
        return fmt::format("{} is a thread of process {}; attach to that", pid, group);
    if (state == 'Z' || state == 'X')
        return fmt::format(
            "Process {} has ended, and waits for its parent to take notice; there is nothing to record", pid);
    return hasMemory ? std::string()
                     : fmt::format("Process {} is a thread of the kernel; a program of one's own can be recorded", pid);
}

std::int64_t toNs(timeval time) { return (std::int64_t{time.tv_sec} * 1'000'000 + time.tv_usec) * 1'000; }

bool isReadable(int fd)
{
    pollfd entry{fd, POLLIN, 0};
    return ::poll(&entry, 1, 0) == 1;
}

} // namespace

model::Result<TargetProcess> TargetProcess::launch(const LaunchRequest &request, const InheritedState &inherited)
{
    if (request.command.empty())
        return model::Error("No command to launch was given");
    auto barrier = makePipe();
    if (!barrier)
        return barrier.error();
    auto failure = makePipe();
    if (!failure)
        return failure.error();

    ChildPlan plan(request.command, request.workingDirectory, request.environment);
    // No signal may run a handler of the recorder inside the child; `restore` sets the mask that the child starts with.
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const pid_t pid = ::fork();
    if (pid == 0) {
        barrier->writeEnd.reset(); // or the child would never see that the recorder died
        plan.run(inherited, barrier->readEnd.get(), failure->writeEnd.get());
    }
    const int forkError = errno;
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    if (pid < 0)
        return model::systemError("Cannot make a process for the program to be launched", forkError,
            "there may be too many processes (ulimit -u) or too little memory");

    TargetProcess target;
    target.m_pid = pid;
    target.m_isLaunched = true;
    target.m_program = request.command.front();
    target.m_workingDirectory = request.workingDirectory;
    target.m_barrier = std::move(barrier->writeEnd);
    target.m_failure = std::move(failure->readEnd);
    auto pidfd = watchProcess(pid);
    if (!pidfd)
        return pidfd.error(); // the child sees its barrier closed and ends; ~TargetProcess reaps it
    target.m_pidfd = std::move(*pidfd);
    return target;
}

model::Result<TargetProcess> TargetProcess::attach(std::int32_t pid)
{
    if (const std::string why = whyNotRecorded(pid); !why.empty())
        return model::Error(why);
    auto pidfd = watchProcess(pid);
    if (!pidfd)
        return pidfd.error();
    TargetProcess target;
    target.m_pid = pid;
    target.m_pidfd = std::move(*pidfd);
    return target;
}

TargetProcess::~TargetProcess()
{
    if (!m_barrier.isOpen())
        return;
    m_barrier.reset();
    while (::waitpid(m_pid, nullptr, 0) < 0 && errno == EINTR) { }
}

std::optional<LaunchFailure> TargetProcess::release()
{
    // The kernel counts what the copy had to the program's most: it is no more than what this process ever had.
    rusage own{};
    if (::getrusage(RUSAGE_SELF, &own) == 0)
        m_mostBeforeExec = std::int64_t{own.ru_maxrss} * 1024;
    const char goAhead = 1;
    // A child that was killed meanwhile must not take us with it by SIGPIPE.
    sigset_t pipeSignal;
    sigset_t before;
    sigemptyset(&pipeSignal);
    sigaddset(&pipeSignal, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipeSignal, &before);
    const ssize_t written = ::write(m_barrier.get(), &goAhead, 1);
    if (written != 1) {
        const timespec none{};
        sigtimedwait(&pipeSignal, nullptr, &none);
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);

    ChildFailure failure;
    ssize_t got = 0;
    do {
        got = ::read(m_failure.get(), &failure, sizeof failure);
    } while (got < 0 && errno == EINTR);
    m_failure.reset();
    m_barrier.reset();
    if (got != static_cast<ssize_t>(sizeof failure))
        return std::nullopt; // closed by the exec, or by the child's end, which `look` shows
    while (::waitpid(m_pid, nullptr, 0) < 0 && errno == EINTR) { }
    m_hasEnded = true;
    m_isLaunched = false;
    return launchFailure(static_cast<int>(failure.step), failure.errnoValue);
}

LaunchFailure TargetProcess::launchFailure(int failedStep, int errnoValue) const
{
    if (failedStep == static_cast<int>(ChildStep::ChangeDirectory))
        return {
            model::systemError(fmt::format("Cannot start in the directory '{}'", m_workingDirectory), errnoValue), 125};
    const bool hasPath = m_program.find('/') != std::string::npos;
    if (errnoValue == ENOENT)
        return {model::systemError(fmt::format("Cannot run '{}'", m_program), errnoValue,
                    hasPath ? "check the path (a script's interpreter may be missing too)"
                            : "it was searched in all directories of PATH"),
            127};
    return {model::systemError(fmt::format("Cannot run '{}'", m_program), errnoValue,
                errnoValue == EACCES ? "is it an executable file, and are you allowed to run it?" : ""),
        126};
}

TargetChange TargetProcess::look()
{
    if (m_hasEnded)
        return TargetChange::Ended;
    if (isReadable(m_pidfd.get())) {
        m_hasEnded = true;
        return TargetChange::Ended;
    }
    // Not by waiting for our child: while a thread of ours traces it, the stops that the thread waits for would be taken away from it.
    const std::optional<char> state = processState(m_pid);
    if (!state)
        return TargetChange::None; // the pidfd says when it has ended
    const bool isStopped = *state == 'T';
    if (isStopped == m_isStopped)
        return TargetChange::None;
    m_isStopped = isStopped;
    return isStopped ? TargetChange::Stopped : TargetChange::Continued;
}

std::optional<TargetEnd> TargetProcess::reap()
{
    if (!m_isLaunched || !m_hasEnded)
        return std::nullopt;
    int status = 0;
    rusage used{};
    pid_t reaped = 0;
    do {
        reaped = ::wait4(m_pid, &status, 0, &used);
    } while (reaped < 0 && errno == EINTR);
    m_isLaunched = false;
    if (reaped != m_pid)
        return std::nullopt;
    const std::int64_t most = std::int64_t{used.ru_maxrss} * 1024;
    const bool isOfProgram = m_mostBeforeExec > 0 && most > m_mostBeforeExec + kOwnPagesBytes;
    return TargetEnd{status, most, isOfProgram, toNs(used.ru_utime), toNs(used.ru_stime)};
}

model::Result<void> TargetProcess::sendSignal(int signal)
{
    if (sendPidfdSignal(m_pidfd.get(), signal) != 0)
        return model::systemError(fmt::format("Cannot send signal {} to process {}", signal, m_pid), errno);
    return {};
}

void sendSignalTo(std::int32_t pid, std::int64_t beganByNs, int signal)
{
    const FileDescriptor process(openPidfd(pid)); // before it is looked at: what is told of the pid then is told of it
    if (process.isOpen() && ProcClock::system().beganBy(pid, beganByNs))
        sendPidfdSignal(process.get(), signal);
}

} // namespace capture
