// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/recording/control_server.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <utility>

namespace capture {

namespace {

constexpr std::size_t kMaxClients = 32;

/// Room for "/genprof-PID-NANOSECONDS.sock" behind the folder.
constexpr std::size_t kSocketNameBytes = 64;

bool fitsSocketPath(const std::string &directory)
{
    return directory.size() + kSocketNameBytes < sizeof(sockaddr_un::sun_path);
}

model::Result<void> checkIsOursAlone(const std::string &directory)
{
    struct stat status
    {
    };
    if (::lstat(directory.c_str(), &status) != 0)
        return model::systemError("Cannot look at " + directory, errno);
    if (!S_ISDIR(status.st_mode) || status.st_uid != ::geteuid() || (status.st_mode & 077) != 0)
        return model::Error(directory
            + " is not a folder of this user alone, so no control socket is put there; remove it, or "
              "set XDG_RUNTIME_DIR to a folder of your own");
    return {};
}

bool mayControl(int fd)
{
    ucred peer{};
    socklen_t length = sizeof(peer);
    if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) != 0)
        return false;
    return peer.uid == ::geteuid() || peer.uid == 0;
}

} // namespace

model::Result<std::string> controlDirectory(const std::string &runtimeDirectory)
{
    if (!runtimeDirectory.empty() && fitsSocketPath(runtimeDirectory) && ::access(runtimeDirectory.c_str(), W_OK) == 0)
        return runtimeDirectory;
    std::string directory = "/tmp/genprof-" + std::to_string(::geteuid());
    if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST)
        return model::systemError("Cannot make the folder for the control socket, " + directory, errno,
            "set XDG_RUNTIME_DIR to a folder that you can write to");
    if (auto checked = checkIsOursAlone(directory); !checked)
        return checked.error();
    return directory;
}

model::Result<ControlServer> ControlServer::listen(const std::string &directory, Handler handler)
{
    timespec now{};
    ::clock_gettime(CLOCK_REALTIME, &now);
    const std::string address = directory + "/genprof-" + std::to_string(::getpid()) + "-" + std::to_string(now.tv_sec)
        + std::to_string(now.tv_nsec) + ".sock";
    sockaddr_un name{};
    name.sun_family = AF_UNIX;
    if (address.size() >= sizeof(name.sun_path))
        return model::Error("The path of the control socket is too long: " + address);
    std::memcpy(name.sun_path, address.c_str(), address.size() + 1);

    FileDescriptor fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd.isOpen())
        return model::systemError("Cannot make a control socket", errno);
    const mode_t oldMask = ::umask(0177);
    const int bound = ::bind(fd.get(), reinterpret_cast<const sockaddr *>(&name), sizeof(name));
    const int bindErrno = errno;
    ::umask(oldMask);
    if (bound != 0)
        return model::systemError("Cannot make the control socket " + address, bindErrno);
    if (::listen(fd.get(), 8) != 0)
        return model::systemError("Cannot listen on the control socket " + address, errno);
    return ControlServer(address, std::move(fd), std::move(handler));
}

ControlServer::ControlServer(std::string address, FileDescriptor listener, Handler handler)
    : m_address(std::move(address))
    , m_listener(std::move(listener))
    , m_handler(std::move(handler))
{
}

ControlServer::~ControlServer()
{
    if (m_listener.isOpen())
        ::unlink(m_address.c_str());
}

std::vector<int> ControlServer::descriptors() const
{
    std::vector<int> fds;
    if (m_listener.isOpen() && !m_isDeaf)
        fds.push_back(m_listener.get());
    for (const Client &client : m_clients)
        fds.push_back(client.fd.get());
    return fds;
}

void ControlServer::service()
{
    m_isDeaf = m_isDeaf && !m_reserve.regain();
    if (!m_isDeaf)
        accept();
    for (Client &client : m_clients)
        read(client);
    std::erase_if(m_clients, [](const Client &client) { return client.isGone; });
}

void ControlServer::accept()
{
    while (m_listener.isOpen()) {
        FileDescriptor fd(::accept4(m_listener.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
        if (!fd.isOpen() && DescriptorReserve::wasShort(errno) && turnAway())
            continue;
        if (!fd.isOpen())
            return;
        if (mayControl(fd.get()) && m_clients.size() < kMaxClients)
            m_clients.push_back({std::move(fd), {}, false, false, false});
    }
}

/// Lets one go for whom there is no descriptor: the listener would stay readable for ever. False if that does not help.
bool ControlServer::turnAway()
{
    m_reserve.release();
    const bool isGone = FileDescriptor(::accept4(m_listener.get(), nullptr, nullptr, SOCK_CLOEXEC)).isOpen();
    m_isDeaf = !m_reserve.regain();
    return isGone && !m_isDeaf;
}

void ControlServer::read(Client &client)
{
    std::array<char, 4096> bytes{};
    for (;;) {
        const ssize_t count = ::recv(client.fd.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0) {
            client.isGone = client.isGone || count == 0 || (errno != EAGAIN && errno != EWOULDBLOCK);
            return;
        }
        client.received.append(bytes.data(), static_cast<std::size_t>(count));
        for (std::size_t end = 0; (end = client.received.find('\n')) != std::string::npos;) {
            const std::string line = client.received.substr(0, end);
            client.received.erase(0, end + 1);
            answer(client, line);
        }
        if (client.received.size() >= kControlLineBytes)
            client.isGone = true;
        if (client.isGone)
            return;
    }
}

void ControlServer::answer(Client &client, const std::string &line)
{
    const auto request = decodeRequest(line);
    ControlReply reply = m_handler(request ? *request : ControlRequest{ControlCommand::Status, {}, {}});
    if (!request)
        reply.error = request.error().text();
    else if (request->command == ControlCommand::Stop && reply.error.empty())
        client.waitsForEnd = true;
    if (reply.isDeferred && reply.error.empty())
        client.waitsForScan = true;
    else
        send(client, reply);
}

void ControlServer::answerDeferred(const ControlReply &reply)
{
    for (Client &client : m_clients)
        if (std::exchange(client.waitsForScan, false))
            send(client, reply);
}

void ControlServer::send(Client &client, const ControlReply &reply)
{
    const std::string line = encode(reply) + "\n";
    const ssize_t sent = ::send(client.fd.get(), line.data(), line.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent != static_cast<ssize_t>(line.size()))
        client.isGone = true;
}

void ControlServer::close(const ControlReply &lastReply)
{
    if (!m_listener.isOpen())
        return;
    for (Client &client : m_clients) {
        if (client.waitsForEnd)
            send(client, lastReply);
    }
    m_clients.clear();
    m_listener.reset();
    ::unlink(m_address.c_str());
}

} // namespace capture
