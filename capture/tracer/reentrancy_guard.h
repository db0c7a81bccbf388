// SPDX-License-Identifier: MIT
#pragma once

#include "capture/tracer/sampler.h"
#include "capture/wire/layout.h"

#include <cstdint>

namespace capture::tracer {

struct ThreadState;

/// What a thread that samples has to look at for a block that is none of its samples.
struct SamplingWords
{
    /// 1 more than the order by which it samples, as Header::order has that, and the value of ForkFlag as it took that up: while both stand, and the
    /// C library's own allocator serves malloc, hooks may go the ways of sampled_path.h. Else 0.
    std::uint32_t afterOrder = 0;
    std::uint32_t flag = 0;
    /// The thread's last block if it is a sample, or may be; 0 if it is none. The complement of its address: a scan takes these words for the
    /// program's, and would find a lost block held by them.
    std::uint64_t lastAllocation = 0;
    Sampler sampler;

    static std::uint64_t complement(const void *pointer) { return ~reinterpret_cast<std::uint64_t>(pointer); }
};

/// All static TLS of the tracer, seven words. `initial-exec`, so reading it neither allocates nor calls the loader; it
/// stays valid until the thread's stack is given back, after every destructor. All 0 at first, as they are before the loader has come to them: an
/// IFUNC resolver may already call a hook.
struct ThreadWords
{
    ThreadState *state = nullptr; ///< null until the thread's first event, and again after a fork
    std::uint64_t inside = 0; ///< its stack pointer, plus 1, while a hook runs that takes more than the shortest way
    SamplingWords sampling;
};
extern constinit thread_local ThreadWords t_words __attribute__((tls_model("initial-exec"), visibility("hidden")));

/// Whether the hook in which the calling thread is said to be was left by a jump (siglongjmp() out of a handler), as a program does that recovers
/// from a full stack: a hook that begins at `sp`, above it on the same stack, says so. Its thread's state is made good then. Off the fast path.
[[gnu::noinline, gnu::cold]] bool recoverFromJump(std::uint64_t sp);

/// Held while a hook runs. What calls the allocator from within (a signal handler, the allocator itself) finds it
/// taken and goes straight on to the allocator. The first thing in each hook that does more than sampled_path.h.
class ReentrancyGuard
{
public:
    [[gnu::always_inline]] ReentrancyGuard()
    {
        std::uint64_t sp;
        asm("mov %%rsp, %0" : "=r"(sp));
        m_entered = t_words.inside == 0 || recoverFromJump(sp);
        if (m_entered) [[likely]]
            t_words.inside = sp + 1;
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
