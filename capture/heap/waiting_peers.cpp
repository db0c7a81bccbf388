// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/heap/waiting_peers.h"

#include <poll.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace capture {

namespace {

/// Who means to speak does so at once, unless it is kept from running.
constexpr std::int64_t kTimeToSpeakNs = 20'000'000;

} // namespace

/// Closes the oldest of those that `is` says, so that one more is at most `most`.
template <typename Is> void WaitingPeers::keepBelow(std::size_t most, Is &&is)
{
    if (static_cast<std::size_t>(std::count_if(m_peers.begin(), m_peers.end(), is)) >= most)
        m_peers.erase(std::find_if(m_peers.begin(), m_peers.end(), is));
}

void WaitingPeers::add(WaitingPeer peer, Kind kind)
{
    const uid_t user = peer.credentials.uid;
    if (kind == Kind::Stranger) {
        const auto isStranger = [](const Entry &entry) { return entry.kind == Kind::Stranger; };
        keepBelow(kMostOfOneStranger,
            [&](const Entry &entry) { return isStranger(entry) && entry.peer.credentials.uid == user; });
        keepBelow(kMostStrangers, isStranger);
    } else {
        keepBelow(kMostExpected, [](const Entry &entry) { return entry.kind == Kind::Expected; });
    }
    m_peers.push_back({std::move(peer), kind});
}

std::vector<WaitingPeer> WaitingPeers::takeReady(std::int64_t nowNs)
{
    std::vector<WaitingPeer> ready;
    if (m_peers.empty())
        return ready;
    std::vector<pollfd> polled;
    appendTo(polled, nowNs);
    const bool isAny = ::poll(polled.data(), polled.size(), 0) > 0;
    std::vector<Entry> silent;
    for (std::size_t i = 0; i < m_peers.size(); ++i) {
        if (isAny && polled[i].revents != 0)
            ready.push_back(std::move(m_peers[i].peer));
        else if (nowNs - m_peers[i].peer.sinceNs < kMostSilentNs)
            silent.push_back(std::move(m_peers[i]));
    }
    m_peers = std::move(silent);
    return ready;
}

bool WaitingPeers::dropStranger(std::int64_t nowNs)
{
    const auto oldest = std::find_if(m_peers.begin(), m_peers.end(), [&](const Entry &entry) {
        return entry.kind == Kind::Stranger && nowNs - entry.peer.sinceNs >= kTimeToSpeakNs;
    });
    if (oldest == m_peers.end())
        return false;
    m_peers.erase(oldest);
    return true;
}

int WaitingPeers::appendTo(std::vector<pollfd> &waits, std::int64_t nowNs) const
{
    for (const Entry &entry : m_peers)
        waits.push_back({entry.peer.connection.get(), POLLIN, 0});
    if (m_peers.empty())
        return -1;
    const std::int64_t leftNs = m_peers.front().peer.sinceNs + kMostSilentNs - nowNs;
    return static_cast<int>(std::max<std::int64_t>(leftNs, 0) / 1'000'000) + 1;
}

} // namespace capture
