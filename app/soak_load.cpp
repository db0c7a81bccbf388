// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/soak_load.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace app {

namespace {

using capture::FileDescriptor;

/// What the keeper tells at the end. Smaller than PIPE_BUF, so it comes whole or not at all.
struct Report
{
    int waitStatus = 0;
    std::uint32_t lineBytes = 0;
    std::array<char, 200> line{};
};

void closeFrom(unsigned first, unsigned last) { ::syscall(SYS_close_range, first, last, 0u); }

/// The end of what the load says on its standard error: the last line that holds anything.
class LastLine
{
public:
    void add(const char *text, std::size_t size)
    {
        for (std::size_t i = 0; i < size; ++i) {
            if (text[i] == '\n') {
                m_isNew = true;
                continue;
            }
            if (std::exchange(m_isNew, false))
                m_report.lineBytes = 0;
            if (m_report.lineBytes < m_report.line.size())
                m_report.line[m_report.lineBytes++] = text[i];
        }
    }
    Report &report() { return m_report; }

private:
    Report m_report;
    bool m_isNew = true;
};

/// Runs in a child of a process with threads: nothing here but async-signal-safe calls.
[[noreturn]] void runCommand(const char *command, int errorPipe, const capture::InheritedState &inherited)
{
    ::setpgid(0, 0);
    const int null = ::open("/dev/null", O_RDWR);
    if (null < 0 || ::dup2(null, STDIN_FILENO) < 0 || ::dup2(null, STDOUT_FILENO) < 0
        || ::dup2(errorPipe, STDERR_FILENO) < 0)
        ::_exit(126);
    closeFrom(STDERR_FILENO + 1, ~0u);
    inherited.restore();
    ::execl("/bin/sh", "sh", "-c", command, static_cast<char *>(nullptr));
    ::_exit(126);
}

/// Reads what is there; false once nothing more will come.
bool readError(int fd, LastLine &line)
{
    std::array<char, 4096> text;
    const ssize_t got = ::read(fd, text.data(), text.size());
    if (got > 0)
        line.add(text.data(), static_cast<std::size_t>(got));
    return got > 0 || (got < 0 && (errno == EINTR || errno == EAGAIN));
}

/// Waits until the command ends, or ends it once `alive` is closed at its other end.
int waitForCommand(pid_t pid, int alive, int error, LastLine &line)
{
    const int ended = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0u));
    std::array<pollfd, 3> polled{{{ended, POLLIN, 0}, {alive, POLLIN, 0}, {error, POLLIN, 0}}};
    int timeout = -1;
    while (ended >= 0) {
        const int ready = ::poll(polled.data(), polled.size(), timeout);
        if (ready == 0 || (polled[0].revents & POLLIN) != 0)
            break;
        if (polled[1].fd >= 0 && polled[1].revents != 0) {
            ::kill(-pid, SIGTERM);
            timeout = static_cast<int>(SoakLoad::kGrace.ns / 1'000'000);
            polled[1].fd = -1;
        }
        if (polled[2].revents != 0 && !readError(error, line))
            polled[2].fd = -1;
    }
    ::kill(-pid, SIGKILL); // what it left behind, too
    int status = 0;
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) { }
    while (polled[2].fd >= 0 && ::poll(&polled[2], 1, 0) == 1 && readError(error, line)) { }
    return status;
}

/// The process between: it has nothing of the recorder open but its two pipes, above all not the lock on the session.
[[noreturn]] void keep(const char *command, int alive, int report, const capture::InheritedState &inherited)
{
    constexpr int kAlive = 3, kReport = 4, kAbove = 10;
    ::prctl(PR_SET_NAME, "genprof-load");
    const int null = ::open("/dev/null", O_RDWR);
    const int movedAlive = ::fcntl(alive, F_DUPFD, kAbove), movedReport = ::fcntl(report, F_DUPFD, kAbove);
    const int movedNull = ::fcntl(null, F_DUPFD, kAbove);
    if (movedAlive < 0 || movedReport < 0 || movedNull < 0)
        ::_exit(1);
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; ++fd)
        ::dup2(movedNull, fd);
    ::dup2(movedAlive, kAlive);
    ::dup2(movedReport, kReport);
    closeFrom(kReport + 1, ~0u);
    std::array<int, 2> error{};
    if (::pipe2(error.data(), O_CLOEXEC) != 0)
        ::_exit(1);
    ::fcntl(error[0], F_SETFL, O_NONBLOCK);
    const pid_t pid = ::fork();
    if (pid == 0)
        runCommand(command, error[1], inherited);
    if (pid < 0)
        ::_exit(1);
    ::setpgid(pid, pid);
    ::close(error[1]);
    LastLine line;
    line.report().waitStatus = waitForCommand(pid, kAlive, error[0], line);
    [[maybe_unused]] const ssize_t written = ::write(kReport, &line.report(), sizeof(Report));
    ::_exit(0);
}

} // namespace

SoakLoad::SoakLoad(std::int32_t keeper, FileDescriptor alive, FileDescriptor report)
    : m_keeper(keeper)
    , m_alive(std::move(alive))
    , m_report(std::move(report))
{
}

SoakLoad::SoakLoad(SoakLoad &&other) noexcept
    : m_keeper(std::exchange(other.m_keeper, 0))
    , m_alive(std::move(other.m_alive))
    , m_report(std::move(other.m_report))
{
}

SoakLoad &SoakLoad::operator=(SoakLoad &&other) noexcept
{
    if (this != &other) {
        stop();
        m_keeper = std::exchange(other.m_keeper, 0);
        m_alive = std::move(other.m_alive);
        m_report = std::move(other.m_report);
    }
    return *this;
}

SoakLoad::~SoakLoad() { stop(); }

model::Result<SoakLoad> SoakLoad::start(const std::string &command, const capture::InheritedState &inherited)
{
    std::array<int, 2> alive{}, report{};
    if (::pipe2(alive.data(), O_CLOEXEC) != 0)
        return model::systemError("Cannot make a pipe to a load", errno, "raise the limit of open files (ulimit -n)");
    FileDescriptor aliveRead(alive[0]), aliveWrite(alive[1]);
    if (::pipe2(report.data(), O_CLOEXEC) != 0)
        return model::systemError("Cannot make a pipe to a load", errno, "raise the limit of open files (ulimit -n)");
    FileDescriptor reportRead(report[0]), reportWrite(report[1]);
    ::fcntl(report[0], F_SETFL, O_NONBLOCK);
    sigset_t all, before;
    ::sigfillset(&all);
    ::pthread_sigmask(SIG_SETMASK, &all, &before);
    const pid_t keeper = ::fork();
    if (keeper == 0)
        keep(command.c_str(), alive[0], report[1], inherited);
    const int error = errno;
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    if (keeper < 0)
        return model::systemError("Cannot make a process for the load \"" + command + "\"", error,
            "there may be too many processes (ulimit -u) or too little memory");
    return SoakLoad(keeper, std::move(aliveWrite), std::move(reportRead));
}

std::optional<LoadEnd> SoakLoad::look()
{
    int status = 0;
    if (m_keeper == 0 || ::waitpid(m_keeper, &status, WNOHANG) == 0)
        return std::nullopt;
    m_keeper = 0;
    Report report;
    if (::read(m_report.get(), &report, sizeof report) != static_cast<ssize_t>(sizeof report))
        return LoadEnd{WIFSIGNALED(status) ? status : 1 << 8, "its keeper ended"};
    return LoadEnd{report.waitStatus, std::string(report.line.data(), report.lineBytes)};
}

void SoakLoad::stop()
{
    m_alive.reset();
    if (m_keeper == 0)
        return;
    while (::waitpid(m_keeper, nullptr, 0) < 0 && errno == EINTR) { }
    m_keeper = 0;
}

} // namespace app
