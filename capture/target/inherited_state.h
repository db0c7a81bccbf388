// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <signal.h>
#include <sys/resource.h>

#include <array>

namespace capture {

/// What the recorder found when it was started and changes for itself, but must hand on to its target unchanged: signal
/// mask, ignored signals, and the limits of open files and of the stack. Take it first thing in `main`.
class InheritedState
{
public:
    /// The state of the calling process now.
    static InheritedState capture();

    /// Puts the calling process back into this state. Async-signal-safe: meant for a forked child before its exec.
    void restore() const;

private:
    std::array<bool, NSIG> m_ignored{}; ///< by signal number
    sigset_t m_mask{};
    rlimit m_openFiles{};
    rlimit m_stack{};
};

} // namespace capture
