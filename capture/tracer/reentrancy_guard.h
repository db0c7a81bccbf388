// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace capture::tracer {

struct ThreadState;

/// All static TLS of the tracer: two words. `initial-exec`, so reading it neither allocates nor calls the loader; it
/// stays valid until the thread's stack is given back, after every destructor.
struct ThreadWords
{
    ThreadState *state = nullptr; ///< null until the thread's first event, and again after a fork
    std::uint64_t inside = 0;     ///< 1 while a hook runs
};
extern constinit thread_local ThreadWords t_words __attribute__((tls_model("initial-exec")));

/// Held while a hook runs. What calls the allocator from within (a signal handler, the allocator itself) finds it
/// taken and goes straight on to the allocator. The first thing in each hook.
class ReentrancyGuard
{
public:
    ReentrancyGuard()
        : m_entered(t_words.inside == 0)
    {
        t_words.inside = 1;
    }
    ~ReentrancyGuard()
    {
        if (m_entered)
            t_words.inside = 0;
    }
    ReentrancyGuard(const ReentrancyGuard &) = delete;
    ReentrancyGuard &operator=(const ReentrancyGuard &) = delete;

    /// False: a hook was already running in this thread, so record nothing.
    explicit operator bool() const { return m_entered; }

private:
    bool m_entered;
};

} // namespace capture::tracer
