// SPDX-License-Identifier: MIT
#pragma once

#include "capture/tracer/sampler.h"
#include "capture/wire/layout.h"

#include <cstdint>

namespace capture::tracer {

struct ThreadState;

inline constexpr std::uint32_t kNoOrder = 0xfffffffe; ///< no order has this word

/// What a thread that samples has to look at for a block that is none of its samples.
struct SamplingWords
{
    /// By which order it samples, as Header::order has it, and the value of ForkFlag as it took that up: while both stand, and the C library's own
    /// allocator serves malloc, hooks may go the ways of sampled_path.h. Else kNoOrder.
    std::uint32_t order = kNoOrder;
    std::uint32_t flag = 0;
    const void *lastAllocation = nullptr; ///< the thread's last block if it is a sample, or may be
    Sampler sampler;
};

/// All static TLS of the tracer, seven words. `initial-exec`, so reading it neither allocates nor calls the loader; it
/// stays valid until the thread's stack is given back, after every destructor.
struct ThreadWords
{
    ThreadState *state = nullptr; ///< null until the thread's first event, and again after a fork
    std::uint64_t inside = 0;     ///< 1 while a hook runs
    SamplingWords sampling;
};
extern constinit thread_local ThreadWords t_words __attribute__((tls_model("initial-exec"), visibility("hidden")));

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
