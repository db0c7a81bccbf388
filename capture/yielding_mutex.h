// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <atomic>
#include <chrono>
#include <mutex>
#include <thread>

namespace capture {

/// A mutex for one thread that wants it nearly always, and others that want it now and then. A std::mutex goes to whoever takes it first: on a
/// busy machine that is, again and again, the thread that has just let go of it, before one that was woken for it has its turn.
class YieldingMutex
{
public:
    static constexpr std::chrono::milliseconds kLongestYield{20};

    /// `longestYield`: how long lockAfterOthers() lets others go first, who may not get a processor.
    explicit YieldingMutex(std::chrono::milliseconds longestYield = kLongestYield)
        : m_longestYield(longestYield)
    {
    }

    void lock()
    {
        m_wanting.fetch_add(1);
        m_mutex.lock();
        m_wanting.fetch_sub(1);
    }
    bool try_lock() { return m_mutex.try_lock(); }
    void unlock() { m_mutex.unlock(); }

    /// For the thread that wants it nearly always: as lock(), once nobody waits for it.
    void lockAfterOthers()
    {
        constexpr std::chrono::microseconds kBetweenLooks{100};
        if (isWanted()) {
            const auto deadline = std::chrono::steady_clock::now() + m_longestYield;
            while (isWanted() && std::chrono::steady_clock::now() < deadline)
                std::this_thread::sleep_for(kBetweenLooks);
        }
        m_mutex.lock();
    }

    /// Whether anybody waits in lock().
    bool isWanted() const { return m_wanting.load() > 0; }

private:
    std::chrono::milliseconds m_longestYield;
    std::mutex m_mutex;
    std::atomic<int> m_wanting = 0; ///< threads in lock()
};

} // namespace capture
