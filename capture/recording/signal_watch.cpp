// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/recording/signal_watch.h"

#include <pthread.h>
#include <signal.h>
#include <sys/signalfd.h>

#include <array>
#include <cerrno>
#include <utility>

namespace capture {

namespace {

constexpr std::array<int, 8> kWatched{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGCHLD, SIGCONT};

} // namespace

model::Result<SignalWatch> SignalWatch::create()
{
    sigset_t set;
    sigemptyset(&set);
    for (const int number : kWatched)
        sigaddset(&set, number);
    sigset_t blocked = set;
    sigaddset(&blocked, SIGPIPE); // its write fails instead
    sigaddset(&blocked, SIGXFSZ); // the same, beyond the limit on file sizes
    if (const int error = ::pthread_sigmask(SIG_BLOCK, &blocked, nullptr); error != 0)
        return model::systemError("Cannot block signals", error);
    FileDescriptor fd(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!fd.isOpen())
        return model::systemError("Cannot watch for signals", errno);
    return SignalWatch(std::move(fd));
}

SignalWatch::SignalWatch(FileDescriptor fd)
    : m_fd(std::move(fd))
{
}

std::vector<ReceivedSignal> SignalWatch::take()
{
    std::vector<ReceivedSignal> received;
    signalfd_siginfo info{};
    while (::read(m_fd.get(), &info, sizeof(info)) == static_cast<ssize_t>(sizeof(info)))
        received.push_back({static_cast<int>(info.ssi_signo), info.ssi_code == SI_KERNEL});
    return received;
}

} // namespace capture
