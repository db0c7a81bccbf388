// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/descriptor_reserve.h"
#include "capture/file_descriptor.h"
#include "capture/heap/image_memory.h"
#include "capture/heap/module_names.h"
#include "capture/heap/waiting_peers.h"
#include "capture/wire/rendezvous.h"
#include "model/base/result.h"

#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <stop_token>
#include <string>
#include <thread>

namespace capture {

/// A program image that asked for memory.
struct Arrival
{
    std::uint64_t number = 0;   ///< of this server's arrivals, from 1 on
    std::int32_t pid = 0;       ///< as this process sees it
    bool sharesPids = true;     ///< false: the target lives in another PID namespace
    std::int32_t parentPid = 0; ///< 0 if it does
    wire::Origin origin = wire::Origin::Exec;
    std::uint64_t copiedImage
        = 0; ///< of a forked child: number of the arrival whose memory it has copied; 0: not known
    std::string executable;
    std::string commandLine;      ///< arguments, quoted for a shell
    std::int64_t monotonicNs = 0; ///< CLOCK_MONOTONIC when it asked, which may be long before it was answered
    ModuleNames names;
    std::unique_ptr<ImageMemory> memory; ///< null: none could be made for it, and it was turned away
    std::string failure;                 ///< why; a sentence
};

/// Answers the program images that ask for memory: an abstract Unix socket, and for those in another network namespace one in a folder, peers
/// checked by user id and token. Whoever connects and says nothing keeps nobody waiting. A thread of its own
/// ("heap-rendezvous"), since each target waits for the answer.
class RendezvousServer
{
public:
    /// Called on the server's thread, for which the next ones that ask wait. `arrived` before the target may write; `failed` with the number of
    /// that arrival if the target then could not map the memory, with the reason as a sentence, or runs with a malloc of its
    /// own; `gaveUp` if it was gone before it was answered.
    struct Callbacks
    {
        std::function<void(Arrival)> arrived;
        std::function<void(std::uint64_t arrival, const std::string &reason)> failed;
        std::function<void(std::int32_t pid)> gaveUp;
    };

    /// `samplePeriodBytes`: what every image's memory begins with, see wire::Order. `folder`: of this user alone, for the second socket; where it
    /// is empty or does not serve (too long a path), there is none.
    static model::Result<std::unique_ptr<RendezvousServer>> start(
        wire::Clock clock, std::uint64_t samplePeriodBytes, Callbacks callbacks, const std::string &folder = {});
    ~RendezvousServer();
    RendezvousServer(const RendezvousServer &) = delete;
    RendezvousServer &operator=(const RendezvousServer &) = delete;

    /// What the environment variable of targets must say.
    std::string address() const;

    /// Of the socket in the folder; empty: there is none.
    const std::string &socketPath() const { return m_path; }

    /// Also answers processes of this user, which a process that is attached to may be. Any thread.
    void allowUser(uid_t user);
    /// Turns all processes but this one away from now on, which makes them go dormant. Any thread.
    void acceptOnly(std::int32_t pid) { m_onlyPid = pid; }

    /// Images that come from now on begin with this period. Any thread.
    void setSamplePeriod(std::uint64_t samplePeriodBytes) { m_samplePeriodBytes = samplePeriodBytes; }

    /// Lets the threads of targets that come from now on never wait for the recorder: what finds no room is dropped. Any thread.
    void letNobodyWait() { m_letsWait = false; }
    bool letsWait() const { return m_letsWait; }

    /// Waits until the meeting that is going on, if there is one, has come to its end: half a second at most.
    void waitUntilIdle();

private:
    RendezvousServer(wire::Clock clock, std::uint64_t samplePeriodBytes, Callbacks callbacks, int listener, int wakeup);
    void listenIn(const std::string &folder);
    void serve(const std::stop_token &stop);
    bool isAllowed(uid_t user) const;
    int acceptAny() const;
    bool takeIn();
    WaitingPeer newPeer(int connection) const;
    WaitingPeers::Kind kindOf(const ucred &credentials) const;
    void meetFromReserve();
    void waitForPeers() const;
    void pause() const;
    void meetReady(const std::stop_token &stop);
    void meet(const WaitingPeer &peer);
    void answer(const WaitingPeer &peer, const wire::Hello &hello);
    Arrival arrivalOf(const WaitingPeer &peer, const wire::Hello &hello);
    void refuse(const WaitingPeer &peer, const wire::Hello &hello, const std::string &reason);
    static std::int64_t timeOf(const WaitingPeer &peer, const wire::Hello &hello);
    void hearOutcome(int connection, std::uint64_t arrival);
    static bool welcome(int connection, int descriptor, std::uint64_t image);
    static void turnAway(int connection);

    wire::Clock m_clock;
    std::atomic<std::uint64_t> m_samplePeriodBytes;
    Callbacks m_callbacks;
    int m_listener;
    int m_wakeup;                 ///< eventfd: the server is to stop
    FileDescriptor m_inFolder;    ///< the second listener
    std::string m_folder, m_path; ///< of it
    std::string m_name;
    std::array<std::uint8_t, wire::kTokenBytes> m_token{};
    mutable std::mutex m_userMutex; ///< guards m_alsoUsers
    std::set<uid_t> m_alsoUsers;
    std::atomic<std::int32_t> m_onlyPid = 0; ///< 0: everybody who knows the token
    std::atomic<bool> m_letsWait = true;
    std::mutex m_meeting; ///< held while a peer is served; guards nothing else
    // Of the server's thread.
    WaitingPeers m_waiting;
    DescriptorReserve m_reserve;
    bool m_isOutOfDescriptors = false; ///< the peer that is served now was taken with one of the reserve
    std::int64_t m_emptyNs = 0;        ///< CLOCK_MONOTONIC when nobody was waiting: who asks now asked later
    std::uint64_t m_arrivals = 0;
    std::jthread m_thread;
};

} // namespace capture
