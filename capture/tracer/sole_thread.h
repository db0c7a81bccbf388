// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>

namespace capture::tracer {

struct ThreadState;

/// Which thread recorded all events since some moment: the order of its ring is the order of them all, so that its events need no stamps of their own
/// to be told apart from others'. In most programs of several threads one does nearly all, for long.
///
/// A thread that is not the sole one takes a stamp for its event, and *then* ends the rule of another. Whoever comes to know of the event
/// finds it ended: the block that is freed, or the address that is given out again, was handed over after that. Whoever becomes the sole one takes a
/// stamp then, which is later than the stamps of all events of others that did not end its rule. So a stamp that stands for several events is earlier than
/// those of others which they depend on by no more than a stamp without fences is. Such an event may be published later than that stamp; so the
/// recorder beats (Header::heartbeat, which ends what a stamp stands for) between the moment up to which it takes events and its look at the rings.
///
/// Any thread, no lock. Zero-initialised: nobody.
class SoleThread
{
public:
    [[gnu::always_inline]] bool is(const ThreadState *thread) const
    {
        return m_thread.load(std::memory_order_relaxed) == thread;
    }

    /// `thread`, before its first event, is the first one that records at all; or nobody is, if null.
    void set(const ThreadState *thread) { m_thread.store(thread, std::memory_order_seq_cst); }

    /// `thread` would be; before it takes the stamp of an event. Does nothing while another is.
    void tryBecome(const ThreadState *thread)
    {
        const ThreadState *nobody = nullptr;
        m_thread.compare_exchange_strong(nobody, thread, std::memory_order_seq_cst);
    }

    /// `thread` has taken the stamp of an event that nobody can know of yet.
    [[gnu::always_inline]] void afterStamp(const ThreadState *thread)
    {
        std::atomic_signal_fence(std::memory_order_seq_cst);
        const ThreadState *const sole = m_thread.load(std::memory_order_relaxed);
        if (sole != thread && sole != nullptr) [[unlikely]] // before what tells of the event: x86 keeps stores in order
            m_thread.store(nullptr, std::memory_order_relaxed);
    }

private:
    std::atomic<const ThreadState *> m_thread;
};

} // namespace capture::tracer
