// SPDX-License-Identifier: MIT
#pragma once

#include "capture/unwind/unwinder.h"

#include <atomic>
#include <cstdint>

namespace capture::tracer {

/// Whether the memory before `address` ends with a call (unwind/call_bytes.h). Two system calls, so that it may be asked of any number: false also where nothing can be read,
/// or the program forbade itself that call. Any thread, any signal handler.
bool followsCall(std::uint64_t address);

/// Where code lies that no table covers, as far as it was met: what a JIT makes lies close together, in memory of its own. Any thread, no lock.
class UncoveredCode
{
public:
    /// Whether a return address that no table covers may be one: it follows a call, or is near one that does (interpreters of Java and others push
    /// addresses that they jump to) and that rules have led to: what a frame pointer has led to may be any number, and says nothing of others.
    bool holds(std::uint64_t returnAddress, unwind::Lead lead);

private:
    static constexpr std::uint64_t kNearBytes = std::uint64_t{1} << 20, kMostBytes = std::uint64_t{1} << 28;

    static constexpr std::uint64_t kGranuleBytes = 1 << 16;

    /// From the lowest to the highest that follows a call, of those that are not too far from the first ones, in granules: the first in the upper
    /// half, the last in the lower one; 0: none was met. Addresses have 47 bits, granules 31.
    std::atomic<std::uint64_t> m_range = 0;
};
extern constinit UncoveredCode g_uncoveredCode; ///< of this process

} // namespace capture::tracer
