// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>

namespace app {

/// Ends the connections of a server that take too long: the HTTP library limits each read, not a whole request, so a client that sends a byte
/// every few seconds would keep one of its threads for ever. They have 20 s; a second where five or more let the server wait, whose threads are
/// few. One that sends more than a request may have is ended at once: the library would keep a line of a head that never ends. A connection in which a request is being answered, or whose request waits for a thread, is left alone. Has a thread of its own, which looks
/// four times a second.
class ConnectionGuard
{
public:
    /// For the connections that this process accepted at `port`.
    explicit ConnectionGuard(int port);
    ConnectionGuard(const ConnectionGuard &) = delete;
    ConnectionGuard &operator=(const ConnectionGuard &) = delete;
    ~ConnectionGuard();

    /// While it lives, the connection from this port of the client is being answered: until the last byte is written. Any thread.
    class Answering
    {
    public:
        Answering(ConnectionGuard &guard, int clientPort);
        Answering(const Answering &) = delete;
        Answering &operator=(const Answering &) = delete;
        ~Answering();

    private:
        ConnectionGuard &m_guard;
        int m_port;
    };

    /// Ends the one from this address and port of the client, whose answer is written: reads no further request, and lets the answer arrive although
    /// some of what was sent is unread. Of the thread that answers it; takes 200 ms at most.
    void end(const std::string &clientAddress, int clientPort);
    /// Ends them all now, answered or not.
    void endAll();

private:
    using Clock = std::chrono::steady_clock;

    void watch();
    void endOld();

    int m_port;
    std::mutex m_mutex; ///< for what follows
    std::condition_variable m_wake;
    bool m_isEnding = false;
    std::multiset<int> m_answering;
    std::set<int> m_answered; ///< since the last look
    std::map<int, std::uint64_t>
        m_received; ///< how many bytes a connection, by its client's port, had sent when it was last answered
    std::map<int, Clock::time_point>
        m_waiting; ///< since when a connection, by its client's port, has no request that is being answered
    std::thread m_thread;
};

} // namespace app
