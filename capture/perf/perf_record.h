// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/unwind/registers.h"

#include <cstdint>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace capture {

/// A CPU sample: where a thread was, and its user stack as the kernel copied it.
struct PerfSample
{
    std::uint64_t pc = 0; ///< of the user or of the kernel, as isInKernel says
    bool isInKernel = false;
    bool hasRegisters = false; ///< false where there is no user side (any more), and for 32-bit programs
    bool is32Bit = false;
    std::uint64_t period = 0;               ///< since the last sample: cycles, or nanoseconds of the clock
    unwind::Registers registers;            ///< of the user
    std::vector<std::uint64_t> kernelChain; ///< leaf first; empty unless isInKernel
    std::vector<std::uint8_t> stack;        ///< from the user's stack pointer upwards
    bool isStackCut = false;                ///< the copy filled its room: the stack may go on above it
};

/// Code was mapped.
struct PerfMapping
{
    std::uint64_t begin = 0, bytes = 0, fileOffset = 0;
    std::uint32_t major = 0, minor = 0;
    std::uint64_t inode = 0; ///< 0 where the build-id is given instead
    std::string buildId;     ///< lower-case hex
    bool isExecutable = false;
    std::string path; ///< as the kernel names it: "/usr/bin/x", "[vdso]", "//anon"
};

/// A thread got a name, by itself or by an exec.
struct PerfName
{
    std::string name;
    bool isExec = false;
};

/// A thread or process was made; the record's own pid and tid are the new one's.
struct PerfFork
{
    std::int32_t parentPid = 0, parentTid = 0;
};

/// A thread ended.
struct PerfExit
{
};

/// Records that a full ring could not take.
struct PerfLost
{
    std::uint64_t count = 0;
};

/// The kernel held samples back, as they came too often.
struct PerfThrottle
{
};

/// A thread entered a system call.
struct CallEntered
{
    std::uint32_t number = 0;
    std::uint64_t pc = 0, sp = 0;     ///< of the user
    std::uint64_t secondArgument = 0; ///< of a futex call the operation
};

/// A system call returned.
struct CallReturned
{
    std::int64_t number = 0; ///< −1 where the kernel does not know it any more (rt_sigreturn)
    std::int64_t result = 0; ///< −errno on failure
};

/// From here on calls are not recorded; made by the recorder itself.
struct CallsInterrupted
{
};

/// From here on they are again; made by the recorder itself.
struct CallsResumed
{
    std::int64_t uncounted = 0; ///< calls since the last such moment of which there is no record
};

/// A thread stopped running, or runs again.
struct ThreadSwitched
{
    bool isOut = false;
    bool isPreempted = false; ///< it could have gone on
};

/// The copied stack of a CallEntered, or of a thread that stops running (then with the kernel's call chain), at about the same moment.
struct CopiedUserStack
{
    bool isOfSwitch = false;
    PerfSample sample;
};

/// One record of a kernel ring.
struct PerfRecord
{
    std::uint64_t timeNs = 0; ///< CLOCK_MONOTONIC
    std::int32_t pid = 0, tid = 0;
    std::uint32_t cpu = 0;
    std::variant<PerfSample, PerfMapping, PerfName, PerfFork, PerfExit, PerfLost, PerfThrottle, CallEntered,
        CallReturned, CallsInterrupted, CallsResumed, ThreadSwitched, CopiedUserStack>
        content;
};

enum class DecodeResult : std::uint8_t { Decoded, Ignored, Bad };

/// Decodes a record of an event opened with cpuEventAttributes(). `Ignored` for kinds that are of no use here, `Bad` where a size
/// or count in it goes beyond its end; then `record` is unspecified.
DecodeResult decodePerfRecord(std::span<const std::uint8_t> bytes, PerfRecord &record);

} // namespace capture
