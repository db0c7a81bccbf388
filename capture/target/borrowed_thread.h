// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/target/injected_call.h"
#include "capture/target/remote_process.h"
#include "capture/target/signal_frame.h"
#include "capture/target/traced_thread.h"
#include "capture/wire/attach.h"
#include "model/base/result.h"

#include <array>
#include <functional>
#include <string>

namespace capture {

/// Told before each step of an injection, by its name. For tests that end the recorder in the middle.
using StepHandler = std::function<void(const char *step)>;

/// Where in the target the code is that an injection uses.
struct InjectionPlaces
{
    std::uint64_t dlopen = 0;
    std::uint64_t dlopenFlags = 0;
    std::uint64_t dlsym = 0;
    std::uint64_t dlerror = 0;
    std::uint64_t syscallReturn = 0; ///< "syscall; ret"
    std::uint64_t restorer = 0;      ///< "mov $15, %rax; syscall"
};

/// A stopped thread that executes calls for us and then goes on as if nothing had been. Whatever becomes of us in between, it comes
/// back by itself, through a signal frame on its own stack.
///
/// SIGSTOP, which nothing blocks, is delivered at once: the program stops as its user wants, and SIGCONT finds what it has to end. The
/// borrowed thread alone runs on to the end of its call, as the loader's lock must not be left to a stopped process, and stops then.
class BorrowedThread
{
public:
    /// `stopped`: the registers with which it is to go on in the end. All outlive it.
    BorrowedThread(TracedThread &thread, RemoteProcess &process, const InjectionPlaces &places,
        const ThreadRegisters &stopped, const StepHandler &onStep);

    /// Opens the tracer at `path` (as the target names it) and gives it the command, in which the answer then is. An error before the
    /// call leaves nothing behind. `whileWaiting` is called over and over until the call has come back.
    model::Result<void> run(const std::string &path, wire::AttachCommand &command, std::chrono::milliseconds limit,
        const std::function<void()> &whileWaiting);

    /// Whether the call was begun. If not, another thread may do as well.
    bool hasStarted() const { return m_hasStarted; }

private:
    struct Scratch;

    model::Result<std::uint64_t> systemCall(
        const char *step, std::uint64_t number, const std::array<std::uint64_t, 6> &arguments);
    model::Result<void> mapScratch(Scratch &scratch);
    void unmapScratch(const Scratch &scratch);
    model::Result<void> prepare(const Scratch &scratch, const std::string &path, const wire::AttachCommand &command);
    bool start(const Scratch &scratch);
    model::Result<void> await(const Scratch &scratch, wire::AttachCommand &command, std::chrono::milliseconds limit,
        const std::function<void()> &whileWaiting);
    bool takeBack(const Scratch &scratch);
    /// Runs up to the begin or end of a system call, past stops of the whole process.
    bool reachSyscall();
    /// Stops the thread where its registers can be changed.
    bool stop();
    /// Lets the thread go on where it was. Only while it is stopped.
    void giveBack();
    void step(const char *name) const
    {
        if (m_onStep)
            m_onStep(name);
    }

    TracedThread &m_thread;
    RemoteProcess &m_process;
    const InjectionPlaces &m_places;
    const ThreadRegisters &m_stopped;
    const StepHandler &m_onStep;
    SignalFrame m_frame;
    bool m_hasStarted = false;
    bool m_isStoppedInCall = false;
};

} // namespace capture
