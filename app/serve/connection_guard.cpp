// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/serve/connection_guard.h"

#include <arpa/inet.h>
#include <linux/tcp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace app {

namespace {

constexpr std::chrono::seconds kLongestWait(20);
/// Where so many connections wait for their clients, the server's few threads are all taken up by them: these have less time then.
constexpr std::size_t kManyWaiting = 5;
constexpr std::chrono::milliseconds kWaitAmongMany(1000);
constexpr std::chrono::milliseconds kLookEvery(250);
/// A head and a body of 64 KiB each, and what TLS adds.
constexpr std::uint64_t kMostUnansweredBytes = 160 * 1024;
/// What a client may still be sending when its answer is written.
constexpr std::chrono::milliseconds kLongestRest(200);
constexpr std::size_t kMostRestBytes = 64 * 1024;

struct Connection
{
    int fd = -1;
    int clientPort = 0;
    std::string clientAddress{};
};

/// Whether a whole head of a request (of TLS: anything) waits to be read: then the client waits for the server, not the server for it.
bool hasRequestWaiting(int fd)
{
    constexpr unsigned char kTlsHandshake = 0x16, kTlsData = 0x17;
    std::array<char, 8192> bytes{};
    const ssize_t count = ::recv(fd, bytes.data(), bytes.size(), MSG_PEEK | MSG_DONTWAIT);
    if (count <= 0)
        return false;
    const std::string_view unread(bytes.data(), static_cast<std::size_t>(count));
    const auto first = static_cast<unsigned char>(unread.front());
    return first == kTlsHandshake || first == kTlsData || unread.find("\r\n\r\n") != std::string_view::npos;
}

/// What the client has sent so far, encrypted or not; 0 where the kernel does not tell (before 4.1).
std::uint64_t receivedBytes(int fd)
{
    tcp_info info{};
    socklen_t size = sizeof info;
    const bool isTold = ::getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0
        && size >= offsetof(tcp_info, tcpi_bytes_received) + sizeof info.tcpi_bytes_received;
    return isTold ? info.tcpi_bytes_received : 0;
}

int portOf(const sockaddr_storage &address)
{
    if (address.ss_family == AF_INET)
        return ntohs(reinterpret_cast<const sockaddr_in &>(address).sin_port);
    if (address.ss_family == AF_INET6)
        return ntohs(reinterpret_cast<const sockaddr_in6 &>(address).sin6_port);
    return 0;
}

/// "127.0.0.1", as the library has it.
std::string addressOf(const sockaddr_storage &address, socklen_t size)
{
    std::array<char, NI_MAXHOST> text{};
    const int failure = ::getnameinfo(reinterpret_cast<const sockaddr *>(&address), size, text.data(),
        static_cast<socklen_t>(text.size()), nullptr, 0, NI_NUMERICHOST);
    return failure == 0 ? text.data() : "";
}

/// What this process accepted at `port`. The library does not tell its sockets, so they are found among all open files.
std::vector<Connection> connectionsAt(int port)
{
    std::vector<Connection> found;
    std::error_code failure;
    for (const auto &entry : std::filesystem::directory_iterator("/proc/self/fd", failure)) {
        const std::string name = entry.path().filename().string();
        int fd = -1;
        std::from_chars(name.data(), name.data() + name.size(), fd);
        sockaddr_storage own{}, client{};
        socklen_t ownSize = sizeof own, clientSize = sizeof client;
        if (fd >= 0 && ::getsockname(fd, reinterpret_cast<sockaddr *>(&own), &ownSize) == 0 && portOf(own) == port
            && ::getpeername(fd, reinterpret_cast<sockaddr *>(&client), &clientSize) == 0)
            found.push_back({fd, portOf(client), addressOf(client, clientSize)});
    }
    return found;
}

/// Reads what has arrived, until `most` bytes or the end.
bool hasMoreAfter(int fd, std::size_t &most)
{
    std::array<char, 8192> bytes{};
    while (most > 0) {
        const ssize_t count = ::recv(fd, bytes.data(), std::min(bytes.size(), most), MSG_DONTWAIT);
        if (count <= 0)
            return count < 0 && (errno == EAGAIN || errno == EINTR);
        most -= static_cast<std::size_t>(count);
    }
    return false;
}

/// A socket that is closed with bytes unread resets the connection, and the client may lose the answer: so they are read first.
void endAfterAnswer(int fd)
{
    using Clock = std::chrono::steady_clock;
    ::shutdown(fd, SHUT_WR);
    const Clock::time_point end = Clock::now() + kLongestRest;
    std::size_t most = kMostRestBytes;
    while (hasMoreAfter(fd, most)) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()).count();
        pollfd wait{fd, POLLIN, 0};
        if (left <= 0 || ::poll(&wait, 1, static_cast<int>(left)) <= 0)
            break;
    }
    ::shutdown(fd, SHUT_RDWR); // from here on nothing more arrives
    most = std::numeric_limits<std::size_t>::max();
    hasMoreAfter(fd, most); // what has would be taken for the next request
}

} // namespace

ConnectionGuard::ConnectionGuard(int port)
    : m_port(port)
    , m_thread([this] { watch(); })
{
}

ConnectionGuard::~ConnectionGuard()
{
    {
        const std::lock_guard lock(m_mutex);
        m_isEnding = true;
    }
    m_wake.notify_all();
    m_thread.join();
}

ConnectionGuard::Answering::Answering(ConnectionGuard &guard, int clientPort)
    : m_guard(guard)
    , m_port(clientPort)
{
    const std::lock_guard lock(m_guard.m_mutex);
    m_guard.m_answering.insert(m_port);
    m_guard.m_waiting.erase(m_port);
    m_guard.m_answered.insert(m_port);
}

ConnectionGuard::Answering::~Answering()
{
    const std::lock_guard lock(m_guard.m_mutex);
    m_guard.m_answering.erase(m_guard.m_answering.find(m_port));
}

void ConnectionGuard::watch()
{
    std::unique_lock lock(m_mutex);
    while (!m_wake.wait_for(lock, kLookEvery, [this] { return m_isEnding; }))
        endOld();
}

/// With the lock held, so that no answer begins meanwhile.
void ConnectionGuard::endOld()
{
    const Clock::time_point now = Clock::now();
    std::map<int, Clock::time_point> waiting;
    std::map<int, std::uint64_t> received;
    std::vector<std::pair<Clock::time_point, int>> idle; ///< since when, descriptor
    for (const Connection &connection : connectionsAt(m_port)) {
        const std::uint64_t bytes = receivedBytes(connection.fd);
        const bool isAnswering = m_answering.contains(connection.clientPort);
        const auto known = m_received.find(connection.clientPort);
        const bool isBegun = isAnswering || m_answered.contains(connection.clientPort);
        const std::uint64_t answered = isBegun ? bytes : known == m_received.end() ? 0 : known->second;
        received.emplace(connection.clientPort, answered);
        if (bytes > answered + kMostUnansweredBytes)
            ::shutdown(connection.fd, SHUT_RDWR);
        if (isAnswering || hasRequestWaiting(connection.fd))
            continue;
        const auto before = m_waiting.find(connection.clientPort);
        const Clock::time_point since = before == m_waiting.end() ? now : before->second;
        idle.emplace_back(since, connection.fd);
        waiting.emplace(connection.clientPort, since);
    }
    m_waiting = std::move(waiting);
    m_received = std::move(received);
    m_answered.clear();
    const Clock::duration most = idle.size() >= kManyWaiting ? Clock::duration(kWaitAmongMany) : kLongestWait;
    for (const auto &[since, fd] : idle)
        if (now - since > most)
            ::shutdown(fd, SHUT_RDWR);
}

void ConnectionGuard::end(const std::string &clientAddress, int clientPort)
{
    for (const Connection &connection : connectionsAt(m_port))
        if (connection.clientPort == clientPort && connection.clientAddress == clientAddress)
            endAfterAnswer(connection.fd);
}

void ConnectionGuard::endAll()
{
    for (const Connection &connection : connectionsAt(m_port))
        ::shutdown(connection.fd, SHUT_RDWR);
}

} // namespace app
