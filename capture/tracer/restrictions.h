// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <cstdint>

struct sock_fprog;

namespace capture::tracer {

/// What the tracer asks of the kernel once the program runs, in groups that are of use only as a whole.
enum class Ask : std::uint32_t {
    Meet = 1,     ///< a new image or a forked child meets the recorder
    Identify = 2, ///< who a thread is that takes a ring
    Name = 4,     ///< a thread's name, a mapping's name
    Map = 8,      ///< private memory
    Probe = 16,   ///< whether a page can be read
    Wake = 32,    ///< the recorder, and be woken by it
    Sleep = 64,
    FindRecorder = 128,  ///< whether the recorder is alive
    Clock = 256,         ///< where the time stamp counter is not the clock
    Stamp = 512,         ///< no call, but as deadly: reading the time stamp counter (PR_SET_TSC, and the strict mode)
    Look = 1024,         ///< whether a file can be read
    Compare = 2048,      ///< whether two processes share their memory
    Leave = 4096,        ///< give the shared memory back while other threads run
    Protect = 8192,      ///< what may be done to a page
    ProtectCode = 16384, ///< the same, where it holds code
    ReadCode = 32768,    ///< bytes of memory that may not be there
    FindStack = 65536,   ///< whether a thread runs on its alternate stack
};

/// What the program has forbidden itself (seccomp): a system call that its filter does not let pass may kill it, and then it would die of being
/// traced. Known from standing before the functions that install a filter, and handed on to what the process executes in
/// the variable that names the recorder. Of the whole process, also where the filter is one thread's. Any thread; no system call.
class Restrictions
{
public:
    static bool allow(Ask ask)
    {
        return s_installing.load(std::memory_order_acquire) == 0
            && (s_forbidden.load(std::memory_order_acquire) & static_cast<std::uint32_t>(ask)) == 0;
    }
    /// In a forked child: threads of the parent that were installing a filter are not here to say that they are done.
    static void forgetOtherThreads() { s_installing.store(0, std::memory_order_release); }
    /// Takes over what the image that executed this one had forbidden itself. First of all.
    static void inherit();

    /// While a filter is being installed nothing is asked: it may be in force for this thread already, and not known yet.
    class Installing
    {
    public:
        Installing() { s_installing.fetch_add(1, std::memory_order_acq_rel); }
        ~Installing() { s_installing.fetch_sub(1, std::memory_order_acq_rel); }
        Installing(const Installing &) = delete;
        Installing &operator=(const Installing &) = delete;
    };
    /// A filter is in force; `filter` as the program gave it to the kernel.
    static void add(const sock_fprog &filter);
    /// The strict mode is in force: read, write and exit are left.
    static void addAll();
    static void add(Ask ask);

private:
    static void forbid(std::uint32_t asks);

    static std::atomic<std::uint32_t> s_installing;
    static std::atomic<std::uint32_t> s_forbidden;
};

} // namespace capture::tracer
