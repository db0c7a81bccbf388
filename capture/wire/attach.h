// SPDX-License-Identifier: MIT
#pragma once

#include "capture/wire/layout.h"

#include <cstddef>
#include <cstdint>

/// What the recorder asks of a tracer that it has loaded into a running process: it writes a command into memory of the
/// target, has a thread call `kCommandFunction` with its address, and reads the answer there.
namespace capture::wire {

inline constexpr char kCommandFunction[] = "genesis_tracer_command";
/// An indirect function: to look it up makes the loader call the tracer with the loader's lock held.
inline constexpr char kLockedFunction[] = "genesis_tracer_locked";
inline constexpr std::uint32_t kAddressBytes = 128;

enum class AttachAction : std::uint32_t {
    Start = 1, ///< meet the recorder at `address` and redirect the slots of all modules
    // Of the recorder that was met last, and of no other:
    Scan = 2, ///< redirect the slots of modules that came since
    Stop = 3, ///< put back what the slots held, and be dormant; may be asked again to give the shared memory back
};

/// How a command went. Target.
enum class AttachStatus : std::uint32_t {
    NotRun = 0, ///< the function was not called, or the loader's lock could not be had
    Done = 1,
    NoAllocator = 2,   ///< no malloc, calloc, realloc and free were found
    OwnAllocator = 3,  ///< the program itself defines malloc: its calls go through no slot
    AlreadyActive = 4, ///< another recorder listens
    NotMet = 5,        ///< the recorder was not reached, or its memory could not be mapped
    Busy
    = 6, ///< a thread is still in a hook since the recording before (Start), or this one (Stop: slots are restored): ask again
    NotActive = 7, ///< of Scan and Stop: the recorder at `address` traces nothing here (any more)
};

/// In memory of the target. The recorder writes the first part before the call, the target the rest.
struct AttachCommand
{
    std::uint64_t magic = kMagic;
    std::uint32_t version = kVersion;
    AttachAction action = AttachAction::Start;
    std::uint64_t dlsym = 0;          ///< address of the loader's dlsym in the target
    std::uint64_t handle = 0;         ///< of the tracer, as dlopen gave it
    char address[kAddressBytes] = {}; ///< as in kRendezvousVariable, zero terminated
    // Answer
    AttachStatus status = AttachStatus::NotRun;
    std::uint32_t modules = 0;        ///< modules looked at
    std::uint32_t slots = 0;          ///< slots that lead to the tracer now (Start, Scan), or were put back (Stop)
    std::uint32_t slotsElsewhere = 0; ///< slots left alone, as they lead to another definition than most
    std::uint32_t modulesSkipped = 0; ///< modules that the loader was not done with, or whose tables make no sense
    std::uint32_t slotsFailed = 0;    ///< slots that could not be changed
    std::uint64_t memoryBase = 0;     ///< where the shared memory lies
};
static_assert(sizeof(AttachCommand) == 192 && offsetof(AttachCommand, status) == 160);

} // namespace capture::wire
