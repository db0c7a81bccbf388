// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/file_descriptor.h"

#include <sys/socket.h>
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <vector>

struct pollfd;

namespace capture {

/// Somebody who has connected.
struct WaitingPeer
{
    FileDescriptor connection;
    ucred credentials{};
    std::int64_t earliestNs = 0; ///< CLOCK_MONOTONIC before which it has not asked
    std::int64_t sinceNs = 0;    ///< when it was taken
};

/// The connections that have not said a word yet. An abstract socket has no permissions, so any user may connect: none keeps another one waiting,
/// each is silent for half a second at most, and of users whom the recorder does not expect a few are kept, of whom the oldest go first. They
/// are not closed at once: a program of the tree may have changed its user, and knows the token. One owning thread.
class WaitingPeers
{
public:
    static constexpr std::int64_t kMostSilentNs = 500'000'000;
    static constexpr std::size_t kMostOfOneStranger = 64; ///< of one user
    static constexpr std::size_t kMostStrangers = 256;
    static constexpr std::size_t kMostExpected = 512;

    enum class Kind : std::uint8_t { Expected, Stranger };

    /// Takes it in; whoever is too much for that is closed.
    void add(WaitingPeer peer, Kind kind);

    /// Hands out those that have spoken or hung up, the oldest first, and closes those that were silent for too long.
    std::vector<WaitingPeer> takeReady(std::int64_t nowNs);

    /// Closes the stranger that has been silent for longest. False if there is none that had the time to speak.
    bool dropStranger(std::int64_t nowNs);

    /// Adds what poll() is to wait for, and says for how many milliseconds at most; -1: for ever.
    int appendTo(std::vector<pollfd> &waits, std::int64_t nowNs) const;

    std::size_t count() const { return m_peers.size(); }

private:
    struct Entry
    {
        WaitingPeer peer;
        Kind kind;
    };
    template <typename Is> void keepBelow(std::size_t most, Is &&is);

    std::vector<Entry> m_peers; ///< the oldest first
};

} // namespace capture
