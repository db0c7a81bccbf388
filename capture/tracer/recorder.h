// SPDX-License-Identifier: MIT
#pragma once

#include "capture/unwind/registers.h"
#include "capture/wire/record.h"

#include <cstddef>

/// Turns what a hook saw into records. Only with the reentrancy guard held; errno is never touched. When the
/// process is not recorded, nothing happens.
namespace capture::tracer {

/// A block came to be: `type` is Malloc or ReallocEnd. Call after the allocator returned.
void recordAllocation(wire::RecordType type, const void *pointer, std::size_t size, const unwind::Registers &registers);

/// A block goes or may go: `type` is Free or ReallocBegin. Call before the allocator is called.
void recordRelease(wire::RecordType type, const void *pointer);

/// A realloc gave no block: it failed (the old block lives on) or freed the old one.
void recordReallocFailed();
void recordReallocFreed();

/// Any other record, which has no stack: `pointer`, `size` and `node` as its type has them.
void recordPlain(wire::RecordType type, std::uint64_t pointer, std::uint64_t size, std::uint32_t node);

/// The loader frees `pointer`.
void noteLoaderFree(const void *pointer);

/// A hook ran inside another one, called from `caller`. That an allocator calls its own functions is no loss.
void countReentered(const void *caller = nullptr);

/// Whether `pc` lies in the module that serves malloc, as far as it is known; true in a process that is not recorded.
bool isAllocatorCode(const void *pc);

} // namespace capture::tracer
