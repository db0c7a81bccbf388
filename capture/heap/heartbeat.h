// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/wire/layout.h"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

namespace capture {

/// Changes the heartbeat of all images (wire::Header::heartbeat) again and again in a thread of its own, "heap-beat": whoever waits for the
/// recorder sees that it is alive, however long it is busy with another image or waits for a processor. Stops once the recorder has not said for
/// `patience` that it gets on. All of it from any thread.
class Heartbeat
{
public:
    explicit Heartbeat(std::chrono::milliseconds interval = std::chrono::milliseconds(500),
        std::chrono::milliseconds patience = std::chrono::seconds(30));
    ~Heartbeat();
    Heartbeat(const Heartbeat &) = delete;
    Heartbeat &operator=(const Heartbeat &) = delete;

    /// The recorder gets on.
    void noteWork() { m_work.store(std::chrono::steady_clock::now().time_since_epoch(), std::memory_order_relaxed); }

    /// Has an image's heart beat until it is destroyed, which must be before the image's memory and the Heartbeat.
    class Place
    {
    public:
        Place() = default;
        Place(Heartbeat &heartbeat, wire::Header &header);
        Place(Place &&other) noexcept;
        Place &operator=(Place &&other) noexcept;
        ~Place();

    private:
        Heartbeat *m_heartbeat = nullptr;
        wire::Header *m_header = nullptr;
    };

private:
    void run(const std::stop_token &stop);

    const std::chrono::milliseconds m_interval, m_patience;
    std::atomic<std::chrono::steady_clock::duration> m_work;
    std::mutex m_mutex; ///< guards m_headers
    std::vector<wire::Header *> m_headers;
    std::condition_variable_any m_wake;
    std::jthread m_thread; ///< last: ends before what it uses
};

} // namespace capture
