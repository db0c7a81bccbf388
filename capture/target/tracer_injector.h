// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/target/borrowed_thread.h"
#include "capture/wire/attach.h"
#include "model/base/result.h"

#include <cstdint>
#include <string>

namespace capture {

/// What a command to the tracer in a running process came to.
struct InjectionReport
{
    wire::AttachCommand answer;
    std::int32_t tid = 0;           ///< the thread that executed it
    unsigned threadsAsked = 0;      ///< threads that were stopped for a look, that one included
    unsigned interruptedCalls = 0;  ///< system calls that the stops made fail with EINTR
    std::int64_t longestStopNs = 0; ///< how long a thread was kept from its own work, at most
};

/// Loads the tracer into a running process and gives it commands, without a debugger: stops one thread for a moment at a safe point and has it
/// call dlopen and the tracer on a stack of its own. All other threads run on. x86-64 with glibc.
///
/// Each command stands alone and traces the thread for its own time only, in a thread of its own: the kernel ties tracing to it.
class TracerInjector
{
public:
    struct Options
    {
        std::string tracerPath;                      ///< as this process sees it
        StepHandler onStep;                          ///< for tests
        std::chrono::milliseconds searchLimit{3000}; ///< how long a safe point is looked for
        std::chrono::milliseconds callLimit{8000};   ///< how long the call may take
    };

    TracerInjector(std::int32_t pid, Options options)
        : m_pid(pid)
        , m_options(std::move(options))
    {
    }

    /// Meets the recorder at `address` (RendezvousServer::address()) and redirects the allocation calls of all modules.
    model::Result<InjectionReport> start(const std::string &address);
    /// Redirects those of modules that came since. Like stop(), only if the recorder at `address` is the one that was met.
    model::Result<InjectionReport> scan(const std::string &address);
    /// Puts back what was there. The library stays, dormant.
    model::Result<InjectionReport> stop(const std::string &address);

private:
    model::Result<InjectionReport> command(wire::AttachAction action, const std::string &address);

    std::int32_t m_pid;
    Options m_options;
};

} // namespace capture
