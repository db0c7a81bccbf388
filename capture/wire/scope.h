// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>

/// What a program asks of the recorder about a part of its run, as the text of a Note, and what the answer says. The answer comes through the
/// shared memory: Header::answered and what stands beside it.
namespace capture::wire {

/// Whose allocations a scope counts.
enum class ScopeThreads : std::uint32_t { Own = 0, All = 1 };

struct ScopeBegin
{
    std::uint64_t scope = 0; ///< its number, which the target chooses; from 1
    ScopeThreads threads = ScopeThreads::Own;
    std::uint32_t reserved = 0;
};
static_assert(sizeof(ScopeBegin) == 16);

/// What of a scope must not be exceeded. UINT64_MAX: no limit.
struct ScopeLimits
{
    std::uint64_t allocations = UINT64_MAX;
    std::uint64_t bytes = UINT64_MAX;      ///< allocated
    std::uint64_t peakBytes = UINT64_MAX;  ///< live at once of the blocks that were allocated in the scope
    std::uint64_t leftBlocks = UINT64_MAX; ///< of those, live at its end
    std::uint64_t leftBytes = UINT64_MAX;
};
static_assert(sizeof(ScopeLimits) == 40);

struct ScopeEnd
{
    std::uint64_t scope = 0;
    std::uint64_t question = 0; ///< its number, see Header::asked
    ScopeLimits limits;
};
static_assert(sizeof(ScopeEnd) == 56);

/// The program ends, and waits until it was looked through.
struct ExitQuestion
{
    std::uint64_t question = 0;
};
static_assert(sizeof(ExitQuestion) == 8);

/// The same numbers as in genesis_profiler.h.
enum class ScopeVerdict : std::uint32_t {
    Met = 0,
    Exceeded = 1, ///< the text says what, by how much, and by which stacks
    Unknown = 2,  ///< the text says why nobody can tell
};

} // namespace capture::wire
