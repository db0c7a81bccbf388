// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

namespace capture::tracer {

/// The part of a thread's own stack that is known to be readable, [low, high): found page by page without reading
/// /proc or asking libc (pthread_getattr_np allocates). A stack lasts as long as its thread, so it only grows.
///
/// What lies right below it, with no guard page between, may be stacks that the thread runs coroutines on. These may go at any time, in ways that
/// nobody sees (the allocator's own munmap, another thread's), and what was a piece then has a hole. So of what is readable only that
/// is known from which frames were seen to lead on to what was known already: captureBeyond().
struct KnownStack
{
    /// Farther than this apart, two frames are taken to be on two stacks, even if the one leads to the other, where these may lie side by side.
    static constexpr std::uint64_t kMostFrameBytes = 128 * 1024;

    std::uint64_t low = 0;
    std::uint64_t high = 0;
    std::uint64_t foreignEnd = 0; ///< what lies below this is on other stacks, or was once
    bool isProcessStack = false;  ///< the kernel keeps a gap below it

    /// Starts anew for the calling thread, whose stack pointer is near `sp`: its stack ends at the kernel's block if it
    /// is the process's first stack, else at the thread's TCB.
    void reset(std::uint64_t sp);
    /// Makes [sp, high) known if it is one readable piece of reasonable size; else `sp` is on another stack (a signal
    /// handler's, a coroutine's) and nothing changes. False if it is not known then.
    bool extendTo(std::uint64_t sp) { return sp >= low || extendDownTo(sp); }
    /// It has been extended to `sp` from `known` on, which was wrong: what ends at `end` is another stack.
    void takeBack(std::uint64_t known, std::uint64_t end)
    {
        low = known;
        foreignEnd = end;
    }
    /// The thread itself unmaps `bytes` at `begin`: what was known up to their end has to be found anew.
    void unmapped(std::uint64_t begin, std::uint64_t bytes)
    {
        if (begin < high && (begin >= low || bytes > low - begin)) [[unlikely]]
            low = bytes < high - begin ? begin + bytes : high;
    }
    bool holds(std::uint64_t address) const { return address - low < high - low; }

private:
    bool extendDownTo(std::uint64_t sp);
};

/// What the unwinder reads: words of the known stack at the price of a comparison, words elsewhere only after asking
/// the kernel whether they can be read. Lives for one walk.
class StackMemory
{
public:
    explicit StackMemory(const KnownStack &known)
        : m_low(known.low)
        , m_last(known.high - 8)
    {
    }

    bool read(std::uint64_t address, std::uint64_t &value) const
    {
        if (address < m_low || address > m_last) [[unlikely]]
            return readElsewhere(address, value);
        value = *reinterpret_cast<const std::uint64_t *>(address);
        return true;
    }

private:
    bool readElsewhere(std::uint64_t address, std::uint64_t &value) const;

    std::uint64_t m_low;
    std::uint64_t m_last; ///< the last address at which a word may be read
    mutable std::uint64_t m_readablePage = 0;
    mutable unsigned m_questionsLeft = 64;
};

} // namespace capture::tracer
