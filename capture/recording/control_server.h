// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/descriptor_reserve.h"
#include "capture/file_descriptor.h"
#include "capture/recording/control_protocol.h"
#include "model/base/result.h"

#include <functional>
#include <string>
#include <vector>

namespace capture {

/// The folder for control sockets of this user: `$XDG_RUNTIME_DIR`, or else /tmp/genprof-UID, which is made with mode 0700 and
/// refused when it is not ours alone. `runtimeDirectory` is the variable's value, empty if unset.
model::Result<std::string> controlDirectory(const std::string &runtimeDirectory);

/// The recorder's end of the control socket. Serves only this user and root (SO_PEERCRED). Never blocks: a client that does
/// not read its answers is disconnected. Capture thread.
class ControlServer
{
public:
    using Handler = std::function<ControlReply(const ControlRequest &)>;

    /// Listens on a new socket in `directory`. `handler` is called from service().
    static model::Result<ControlServer> listen(const std::string &directory, Handler handler);

    ControlServer(ControlServer &&) noexcept = default;
    ControlServer &operator=(ControlServer &&) = delete;
    ~ControlServer();

    /// Where clients connect to; stored in the session.
    const std::string &address() const { return m_address; }

    /// What to wait on for reading.
    std::vector<int> descriptors() const;

    /// Accepts, reads and answers whatever has come.
    void service();

    /// Sends the answer to those whose request was deferred.
    void answerDeferred(const ControlReply &reply);

    /// Sends a last reply to those who asked to stop, disconnects all, and removes the socket.
    void close(const ControlReply &lastReply);

private:
    struct Client
    {
        FileDescriptor fd;
        std::string received;
        bool waitsForEnd = false;
        bool waitsForScan = false;
        bool isGone = false;
    };

    ControlServer(std::string address, FileDescriptor listener, Handler handler);
    void accept();
    bool turnAway();
    void read(Client &client);
    void answer(Client &client, const std::string &line);
    static void send(Client &client, const ControlReply &reply);

    std::string m_address;
    FileDescriptor m_listener;
    DescriptorReserve m_reserve{1}; ///< to turn somebody away with
    bool m_isDeaf = false;          ///< there is none, so nobody can be taken or turned away
    Handler m_handler;
    std::vector<Client> m_clients;
};

} // namespace capture
