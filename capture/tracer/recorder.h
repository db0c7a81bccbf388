// SPDX-License-Identifier: MIT
#pragma once

#include "capture/unwind/unwinder.h"
#include "capture/wire/record.h"

#include <cstddef>

/// Turns what a hook saw into records. Only with the reentrancy guard held; errno is never touched. When the
/// process is not recorded, nothing happens.
namespace capture::tracer {

inline std::uint64_t asNumber(const void *pointer) { return reinterpret_cast<std::uint64_t>(pointer); }

/// The frame that called the hook this is written in (it is always inlined).
[[gnu::always_inline]] inline unwind::NarrowFrame callerFrame()
{
    const auto *frame = static_cast<const std::uint64_t *>(__builtin_frame_address(0)); // makes rbp the frame's address
    return {frame[1], reinterpret_cast<std::uint64_t>(frame + 2), frame[0]};
}

/// A block came to be: `type` is Malloc or ReallocEnd. Call after the allocator returned.
void recordAllocation(wire::RecordType type, const void *pointer, std::size_t size, const unwind::NarrowFrame &caller);

/// A block goes or may go: `type` is Free or ReallocBegin. Call before the allocator is called. False: nothing is recorded now.
bool recordRelease(wire::RecordType type, const void *pointer);

/// The same where that may be another way than a PlainEvent's: slower, and out of line.
void recordAllocationAnyhow(
    wire::RecordType type, const void *pointer, std::size_t size, const unwind::NarrowFrame &caller);
bool recordReleaseAnyhow(wire::RecordType type, const void *pointer);

/// A realloc gave no block: it failed (`old` lives on) or freed the old one.
void recordReallocFailed(const void *old);
void recordReallocFreed();

/// Any other record, which has no stack: `pointer`, `size` and `node` as its type has them.
void recordPlain(wire::RecordType type, std::uint64_t pointer, std::uint64_t size, std::uint32_t node);

/// The loader frees `pointer`.
void noteLoaderFree(const void *pointer);

/// A hook ran inside another one, called from `caller`. That an allocator calls its own functions is no loss.
void countReentered(const void *caller = nullptr);

/// Whether `pc` lies in the module that serves malloc, as far as it is known.
bool isAllocatorCode(const void *pc);

} // namespace capture::tracer
