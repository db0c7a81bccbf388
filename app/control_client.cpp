// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/control_client.h"

#include "capture/recording/control_server.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace app {

namespace {

using Clock = std::chrono::steady_clock;

model::Error goneError(const model::SessionInfo &info)
{
    return model::Error(
        fmt::format("The recorder of this session (pid {}) is gone, so the recording is unfinished; what it had "
                    "recorded is in the file",
            info.recorderPid));
}

/// A socket that leads to what listens at `name`; closed, with errno, where nothing does.
capture::FileDescriptor connected(const sockaddr_un &name)
{
    capture::FileDescriptor fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (fd.isOpen() && ::connect(fd.get(), reinterpret_cast<const sockaddr *>(&name), sizeof(name)) != 0) {
        const int reason = errno;
        fd = capture::FileDescriptor();
        errno = reason;
    }
    return fd;
}

/// Whether the recorder still listens, although it does not hold the file at this path: that is no longer, or never was, the one it writes.
bool isRecordedElsewhere(const model::SessionInfo &info)
{
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    if (info.controlAddress.empty() || info.controlAddress.size() >= sizeof(name.sun_path))
        return false;
    std::memcpy(name.sun_path, info.controlAddress.c_str(), info.controlAddress.size() + 1);
    const capture::FileDescriptor fd = connected(name);
    ucred peer{};
    socklen_t length = sizeof(peer);
    return fd.isOpen() && ::getsockopt(fd.get(), SOL_SOCKET, SO_PEERCRED, &peer, &length) == 0
        && peer.pid == info.recorderPid;
}

model::Result<void> checkOwner(int fd)
{
    ucred peer{};
    socklen_t length = sizeof(peer);
    if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0)
        return model::systemError("Cannot find out whose the control socket is", errno);
    if (peer.uid != ::geteuid() && peer.uid != 0 && ::geteuid() != 0)
        return model::Error(fmt::format("The recorder of this session runs as user {}; only that user and root may "
                                        "control it",
            peer.uid));
    return {};
}

/// How long the answer may take.
std::chrono::milliseconds limitOf(const capture::ControlRequest &request)
{
    if (request.command != capture::ControlCommand::Scan)
        return std::chrono::seconds(10);
    constexpr std::chrono::minutes kScanLimit(10);
    const std::chrono::nanoseconds second(request.scan.isConfirmed ? request.scan.parameters.confirmAfterNs : 0);
    return kScanLimit + std::chrono::duration_cast<std::chrono::milliseconds>(second);
}

} // namespace

ControlClient::ControlClient(capture::FileDescriptor fd)
    : m_fd(std::move(fd))
{
}

model::Result<ControlClient> ControlClient::connect(const model::SessionInfo &info)
{
    // Of a recording that goes on only copies that follow it name no recorder.
    if (info.recorderPid == 0 && info.controlAddress.empty() && info.state != model::SessionState::Complete)
        return model::Error(
            "This file is a copy that \"genprof follow\" made of a recording, and has no recorder of its "
            "own; ask the original session, on the machine where it is recorded");
    if (info.state == model::SessionState::Unfinished && isRecordedElsewhere(info))
        return model::Error(fmt::format("The file was moved or copied while it is recorded, and cannot be controlled "
                                        "under this name; its recorder (pid {0}) runs: stop it by kill -INT {0}",
            info.recorderPid));
    if (info.state == model::SessionState::Unfinished)
        return goneError(info);
    if (info.state == model::SessionState::Complete || info.state == model::SessionState::Stopping)
        return model::Error("The recording has ended; there is no recorder to talk to");
    const char *runtime = std::getenv("XDG_RUNTIME_DIR");
    const auto folder = capture::controlDirectory(runtime ? runtime : "");
    if (info.controlAddress.empty() && !folder)
        return model::Error("This recording cannot be controlled: " + folder.error().text());
    if (info.controlAddress.empty())
        return model::Error(fmt::format("The recording runs, and its file does not say yet how to reach its recorder "
                                        "(pid {}): it has just begun, or the disk of the session is full",
            info.recorderPid));
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    if (info.controlAddress.size() >= sizeof(name.sun_path))
        return model::Error("The session names no usable control socket");
    std::memcpy(name.sun_path, info.controlAddress.c_str(), info.controlAddress.size() + 1);
    capture::FileDescriptor fd = connected(name);
    if (!fd.isOpen()) {
        if (errno == ENOENT || errno == ECONNREFUSED)
            return goneError(info);
        return model::systemError("Cannot reach the recorder at " + info.controlAddress, errno,
            "only the user who records may control a recording");
    }
    if (const auto checked = checkOwner(fd.get()); !checked)
        return checked.error();
    return ControlClient(std::move(fd));
}

model::Result<capture::ControlReply> ControlClient::request(const capture::ControlRequest &request)
{
    const std::string line = capture::encode(request) + "\n";
    std::size_t sent = 0;
    while (sent < line.size()) {
        const ssize_t count = ::send(m_fd.get(), line.data() + sent, line.size() - sent, MSG_NOSIGNAL);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return model::systemError("Cannot talk to the recorder", errno);
        sent += static_cast<std::size_t>(count);
    }
    const auto answer = readLine(limitOf(request));
    if (!answer)
        return answer.error();
    return capture::decodeReply(*answer);
}

model::Result<capture::ControlReply> ControlClient::waitForEnd(std::chrono::milliseconds limit)
{
    const auto answer = readLine(limit);
    if (!answer)
        return answer.error();
    return capture::decodeReply(*answer);
}

model::Result<std::string> ControlClient::readLine(std::chrono::milliseconds limit)
{
    const auto deadline = Clock::now() + limit;
    for (;;) {
        if (const std::size_t end = m_received.find('\n'); end != std::string::npos) {
            std::string line = m_received.substr(0, end);
            m_received.erase(0, end + 1);
            return line;
        }
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now());
        pollfd polled{m_fd.get(), POLLIN, 0};
        const int ready = ::poll(&polled, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
        if (ready < 0 && errno == EINTR)
            continue;
        if (ready == 0)
            return model::Error("The recorder does not answer; it may be stopped, or busy completing the file");
        std::array<char, 4096> bytes{};
        const ssize_t count = ::recv(m_fd.get(), bytes.data(), bytes.size(), 0);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return model::Error("The recorder closed the connection without an answer");
        m_received.append(bytes.data(), static_cast<std::size_t>(count));
        if (m_received.size() > capture::kControlLineBytes)
            return model::Error("The recorder's answer could not be understood");
    }
}

} // namespace app
