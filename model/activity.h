// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/base/ids.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace model {

/// Why a thread did not run. Classes in which somebody waits for the thread stand apart from those in which it waits for work, so that the
/// idle threads of a pool do not drown an answer. The numbers are those in the file.
enum class WaitClass : std::uint8_t {
    Lock = 0,      ///< for a mutex or another lock that somebody holds
    Io = 1,        ///< for data: read, write, send, receive, sync, connect
    Memory = 2,    ///< for a page, or for the right to change the address space
    Other = 3,     ///< in the kernel for a reason that is not told
    Condition = 4, ///< for another thread to say something: condition variables, semaphores, the end of a thread
    Events = 5,    ///< for something to happen: epoll, poll, select, accept, signals
    Sleep = 6,     ///< for time to pass
    Child = 7,     ///< for a process to end
    Processor = 8, ///< ready to run, while others run: the only involuntary one
};
inline constexpr std::size_t kWaitClassCount = 9;

/// How a class is named.
struct WaitClassInfo
{
    WaitClass waitClass;
    std::string_view key;   ///< snake_case: "lock"
    std::string_view label; ///< for people: "Lock"
    /// Time in it keeps the program from going on; in the others its threads have nothing to do, or it is the machine that is busy.
    bool isBlocked;
};
extern const std::array<WaitClassInfo, kWaitClassCount> kWaitClasses;
inline const WaitClassInfo &waitClassInfo(WaitClass waitClass)
{
    return kWaitClasses[static_cast<std::size_t>(waitClass)];
}

/// What a thread does in the kernel, or waits for: a system call, by its number on x86-64, or a class of waits. `value` is as in the file:
/// the number of the call; kFirstWait + the class.
struct Activity
{
    static constexpr std::uint32_t kFirstWait = 0x10000;
    std::uint32_t value = 0;

    static constexpr Activity call(std::uint32_t number) { return {number < kFirstWait ? number : kFirstWait - 1}; }
    static constexpr Activity wait(WaitClass waitClass) { return {kFirstWait + static_cast<std::uint32_t>(waitClass)}; }
    constexpr bool isWait() const { return value >= kFirstWait; }
    constexpr WaitClass waitClass() const { return static_cast<WaitClass>(value - kFirstWait); }
    static constexpr bool isValid(std::int64_t number)
    {
        return number >= 0 && static_cast<std::uint64_t>(number) < kFirstWait + kWaitClassCount;
    }
    friend constexpr auto operator<=>(const Activity &, const Activity &) = default;
};

/// What a thread did in a tick at one stack. The stack's leaf names the call, or the class and the call that waits.
struct ActivityDelta
{
    ThreadId thread;
    ImageId image;
    StackId stack;
    Activity activity;
    std::int64_t count = 0;  ///< begun in the tick
    std::int64_t timeNs = 0; ///< that passed in them within the tick, whenever they began: by the clock on the wall
    std::int64_t errors = 0; ///< calls that returned one
    std::int64_t bytes = 0;  ///< that calls which read or write moved
    /// Of `count`: those whose own stack was copied. The others are counted one by one, and stand at the stack that the same thread had
    /// when it last made such a call from the same place, with the same stack pointer; or where there is none another thread of the process.
    std::int64_t ownStacks = 0;
    /// Of `count`: those that came too often to be recorded one by one: their number is known, not which they were; `timeNs`, `errors` and
    /// `bytes` then hold a part for them in proportion.
    std::int64_t estimated = 0;
};

/// The name of a system call of x86-64: "openat"; "call 999" where this program knows none.
std::string systemCallName(std::uint32_t number);
/// The number of one; empty where there is none of this name.
std::optional<std::uint32_t> systemCallNumber(std::string_view name);
/// "openat" or "lock".
std::string activityKey(Activity activity);

} // namespace model
