// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

namespace capture {

/// By whom a thread was started, and when (CLOCK_MONOTONIC).
struct ThreadFork
{
    pid_t parent = 0; ///< the thread that did
    std::uint64_t timeNs = 0;
};
using ThreadForks = std::unordered_map<pid_t, ThreadFork>;

/// When each event of each thread was opened, so that none is opened twice: a thread inherits those that its parent had when it started it.
class ThreadOpenings
{
public:
    /// `eventsPerThread`: how many events are opened for a thread, always in the same order.
    explicit ThreadOpenings(std::size_t eventsPerThread = 0)
        : m_events(eventsPerThread)
    {
    }

    bool knows(pid_t thread) const { return m_threads.contains(thread); }
    /// The thread is known from now on, whether or not events of it are opened.
    void add(pid_t thread) { m_threads[thread].resize(m_events); }
    void opened(pid_t thread, std::size_t event, std::uint64_t nowNs) { m_threads[thread][event] = nowNs; }
    /// Which of its events a thread has not inherited.
    std::vector<bool> missing(pid_t thread, const ThreadForks &forks) const;

private:
    std::size_t m_events;
    std::unordered_map<pid_t, std::vector<std::uint64_t>> m_threads; ///< 0 where not opened
};

} // namespace capture
