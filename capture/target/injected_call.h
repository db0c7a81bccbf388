// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace capture {

/// What the injected code works on, in memory of the target; the code finds it by a register.
struct InjectedCall
{
    // Written by us.
    std::uint64_t dlopen = 0;
    std::uint64_t path = 0; ///< of the tracer, zero terminated
    std::uint64_t flags = 0;
    std::uint64_t dlsym = 0;
    std::uint64_t functionName = 0;
    std::uint64_t command = 0; ///< the function's argument
    std::uint64_t dlerror = 0;
    std::uint64_t context = 0; ///< SignalFrame::context()
    // Written by the code.
    std::uint64_t handle = 0;
    std::uint64_t function = 0;
    std::uint64_t error = 0; ///< text, if something was not found
    std::uint64_t stage = 0; ///< a Stage
};

enum class InjectedStage : std::uint64_t {
    Running = 0,
    Called = 1, ///< the function was called and has returned
    Failed = 2, ///< dlopen or dlsym gave nothing
};

/// Code for a page of the target: opens the tracer, looks up the function and calls it, says how far it came, waits a fraction of
/// a second for somebody to take the thread over, and then goes back by itself through the signal frame. Begins with the address of
/// an InjectedCall in r12 and a stack of its own; position-independent.
std::span<const std::uint8_t> injectedCode();

} // namespace capture
