// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/heap/heartbeat.h"

#include <pthread.h>

#include <utility>

namespace capture {

Heartbeat::Heartbeat(std::chrono::milliseconds interval, std::chrono::milliseconds patience)
    : m_interval(interval)
    , m_patience(patience)
{
    noteWork();
    m_thread = std::jthread([this](const std::stop_token &stop) {
        ::pthread_setname_np(::pthread_self(), "heap-beat");
        run(stop);
    });
}

Heartbeat::~Heartbeat() = default;

void Heartbeat::run(const std::stop_token &stop)
{
    std::unique_lock lock(m_mutex);
    while (!stop.stop_requested()) {
        m_wake.wait_for(lock, stop, m_interval, [] { return false; });
        if (std::chrono::steady_clock::now().time_since_epoch() - m_work.load(std::memory_order_relaxed) > m_patience)
            continue;
        // By 2: that the recorder rests, which an odd one says, is for the recorder to say.
        for (wire::Header *header : m_headers)
            header->heartbeat.fetch_add(2, std::memory_order_seq_cst);
    }
}

Heartbeat::Place::Place(Heartbeat &heartbeat, wire::Header &header)
    : m_heartbeat(&heartbeat)
    , m_header(&header)
{
    const std::lock_guard lock(heartbeat.m_mutex);
    heartbeat.m_headers.push_back(&header);
}

Heartbeat::Place::Place(Place &&other) noexcept
    : m_heartbeat(std::exchange(other.m_heartbeat, nullptr))
    , m_header(other.m_header)
{
}

Heartbeat::Place &Heartbeat::Place::operator=(Place &&other) noexcept
{
    std::swap(m_heartbeat, other.m_heartbeat);
    std::swap(m_header, other.m_header);
    return *this;
}

Heartbeat::Place::~Place()
{
    if (m_heartbeat == nullptr)
        return;
    const std::lock_guard lock(m_heartbeat->m_mutex);
    std::erase(m_heartbeat->m_headers, m_header);
}

} // namespace capture
