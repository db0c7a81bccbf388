// SPDX-License-Identifier: MIT
#pragma once

#include "capture/wire/layout.h"

#include <cstddef>
#include <cstdint>

/// What the recorder asks of the tracer in a process that stands still: to copy the process by fork, so that its memory of this moment
/// can be read while it runs on. The recorder writes a command below the stack of a stopped thread, has the thread begin at
/// `kSnapshotFunction` with the command's address in rdi, and reads the answer there.
namespace capture::wire {

inline constexpr char kSnapshotFunction[] = "genesis_tracer_snapshot";
/// From there on: a thread that stands in these bytes has not gone back. All that it executes meanwhile lies in them.
inline constexpr std::uint64_t kSnapshotFunctionBytes = 256;

enum class SnapshotStage : std::uint32_t {
    Running = 0,
    Done = 1, ///< see `snapshot`
    Busy = 2, ///< another thread is at it: nothing was done
};

/// In memory of the target. The recorder writes it before the call, the target the answer. Below the stack of a thread that has gone back
/// by itself it may be overwritten at any moment.
struct SnapshotCommand
{
    std::uint64_t magic = kMagic;
    std::uint64_t context = 0; ///< what the stack pointer must be at rt_sigreturn, which ends the call
    std::int32_t recorder = 0; ///< pid of who may read the copy, and with whose end it ends
    std::uint32_t limitMs = 0; ///< after that the copy ends by itself
    // Answer
    std::int32_t helper = 0;   ///< pid of the process that made the copy and has ended, or a negative errno value
    std::int32_t snapshot = 0; ///< pid of the copy, or a negative errno value; 0: there is none
    SnapshotStage stage = SnapshotStage::Running;
    std::int32_t isReaper = 0; ///< what prctl(PR_GET_CHILD_SUBREAPER) says
    /// Of the recorder again: a fork that took longer is too late, as nobody waits any more; its copy ends at once.
    std::uint32_t forkLimitMs = 0;
    std::uint32_t padding = 0;
};
static_assert(sizeof(SnapshotCommand) == 48 && offsetof(SnapshotCommand, context) == 8
    && offsetof(SnapshotCommand, helper) == 24 && offsetof(SnapshotCommand, snapshot) == 28
    && offsetof(SnapshotCommand, stage) == 32 && offsetof(SnapshotCommand, isReaper) == 36);

} // namespace capture::wire
