// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>

namespace model {

/// A value that is computed when it is first asked for, and shared with all who ask later. For what follows from an object that does not change any
/// more, as a member of it: a copy of that object may be changed, so a copy of this is empty. Any thread may ask.
template <typename T> class ComputedOnce
{
public:
    ComputedOnce() = default;
    ComputedOnce(const ComputedOnce &) { }
    ComputedOnce &operator=(const ComputedOnce &other)
    {
        if (this != &other)
            m_value.reset(); // nobody else knows an object that is assigned to
        return *this;
    }
    ~ComputedOnce() = default;

    /// The value; where there is none yet, what `compute()` returns as std::optional<T>. One thread computes, others wait for it: until theirs is
    /// asked to stop, or it gives up, and then one of them takes over. Null when `stop` was requested.
    template <typename Compute> std::shared_ptr<const T> get(const std::stop_token &stop, Compute compute) const
    {
        std::unique_lock lock(m_mutex);
        m_ended.wait(lock, stop, [this] { return m_value || !m_isComputing; });
        if (m_value || m_isComputing || stop.stop_requested())
            return m_value;
        m_isComputing = true;
        lock.unlock();
        std::optional<T> made = compute();
        lock.lock();
        m_isComputing = false;
        if (made)
            m_value = std::make_shared<const T>(std::move(*made));
        m_ended.notify_all();
        return m_value;
    }

private:
    mutable std::mutex m_mutex; ///< guards the two below
    mutable std::condition_variable_any m_ended;
    mutable std::shared_ptr<const T> m_value;
    mutable bool m_isComputing = false;
};

} // namespace model
