// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/activity.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <unordered_map>

namespace capture {

/// Why a thread stopped running.
struct WaitReason
{
    model::WaitClass waitClass = model::WaitClass::Other;
    std::optional<std::uint32_t> call; ///< the system call that it is in
    bool isPageFault = false;
};

/// Tells why a thread waits from the kernel functions that it stands in: the system call, and of a futex call its operation. Where the kernel
/// hides its functions only a call that is known otherwise tells. Capture thread only.
class WaitReasons
{
public:
    /// Gives the kernel function that holds an address; empty where it is not known.
    using FunctionAt = std::function<std::string_view(std::uint64_t)>;
    explicit WaitReasons(FunctionAt functionAt)
        : m_functionAt(std::move(functionAt))
    {
    }

    /// The reason of a thread that stands there in the kernel, leaf first. `secondArgument`: of a system call it may be in (rsi); `openCall`:
    /// the one that it is known to be in.
    WaitReason of(std::span<const std::uint64_t> kernelChain, std::uint64_t secondArgument,
        std::optional<std::uint32_t> openCall);

private:
    struct Meaning
    {
        std::optional<std::uint32_t> call;
        bool isPageFault = false;
    };
    const Meaning &meaningOf(std::uint64_t pc);

    FunctionAt m_functionAt;
    std::unordered_map<std::uint64_t, Meaning> m_meanings; ///< by kernel address
};

/// The class of waits within a system call; `secondArgument` is its second argument, which of a futex call is the operation.
model::WaitClass waitClassOf(std::uint32_t call, std::uint64_t secondArgument);

} // namespace capture
