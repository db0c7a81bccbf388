// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/file_descriptor.h"
#include "capture/wire/rendezvous.h"

#include <QtGlobal>

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <string>

namespace tests {

/// Lets targets connect and speak, and never answers.
class SilentRecorder
{
public:
    SilentRecorder()
    {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        const std::string name = "genesis-silent-" + std::to_string(::getpid());
        name.copy(address.sun_path + 1, name.size());
        const auto bytes = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
        if (::bind(m_socket.get(), reinterpret_cast<const sockaddr *>(&address), bytes) != 0
            || ::listen(m_socket.get(), 8) != 0)
            qFatal("no socket");
        m_address = name + ":" + std::string(2 * capture::wire::kTokenBytes, '0');
    }
    std::string address() const { return m_address; }
    /// Waits until somebody has connected; false after 30 s.
    bool waitForGuest() const
    {
        pollfd polled{m_socket.get(), POLLIN, 0};
        return ::poll(&polled, 1, 30'000) == 1;
    }
    /// What the next one that has connected said.
    capture::wire::Hello nextHello() const
    {
        capture::wire::Hello hello;
        const capture::FileDescriptor peer(::accept4(m_socket.get(), nullptr, nullptr, SOCK_NONBLOCK));
        if (::recv(peer.get(), &hello, sizeof hello, 0) != sizeof hello)
            hello.pid = 0;
        return hello;
    }

private:
    capture::FileDescriptor m_socket{::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
    std::string m_address;
};

} // namespace tests
