// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/target/tracer_injector.h"

#include "capture/target/injection.h"
#include "capture/target/process_facts.h"

#include <fmt/format.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <thread>

namespace capture {

namespace {

using model::Error;

constexpr int kFailureRetries = 3;
constexpr int kStopRetries = 50; // of a detach that meets threads in hooks
// The same of an attach. A thread that waits in a hook for a recorder which does not answer does so for three seconds.
constexpr std::chrono::milliseconds kBusyLimit{6000}, kFirstPause{5}, kLongestPause{200};

const char *textOf(wire::AttachStatus status)
{
    switch (status) {
    case wire::AttachStatus::Done:
        return "done";
    case wire::AttachStatus::NoAllocator:
        return "no allocator was found in it";
    case wire::AttachStatus::OwnAllocator:
        return "the program defines malloc itself, so its calls do not reach the tracer";
    case wire::AttachStatus::AlreadyActive:
        return "another recorder traces its heap already";
    case wire::AttachStatus::NotMet:
        return "it could not reach the recorder, or has no room for the shared memory (ulimit -v)";
    case wire::AttachStatus::Busy:
        return "one of its threads has been inside an allocation since an earlier recording and did not come out of it "
               "for some seconds, as "
               "one that a debugger holds. Try again in a while, or record the program from its start (genprof record)";
    case wire::AttachStatus::NotActive:
        return "this recorder does not trace it any more";
    case wire::AttachStatus::NotRun:
        break;
    }
    return "its tracer did not answer: it is another version, or busy";
}

} // namespace

model::Result<InjectionReport> TracerInjector::command(wire::AttachAction action, const std::string &address)
{
    // Injected calls ask the kernel for what the filter may not let pass.
    if (action != wire::AttachAction::Start && hasOwnFilter(m_pid))
        return Error(fmt::format(
            "process {} has given up system calls (seccomp) since the attach: the tracer stays in it, dormant", m_pid));
    wire::AttachCommand command;
    command.action = action;
    std::strncpy(command.address, address.c_str(), sizeof command.address - 1);
    model::Result<InjectionReport> result = Error("");
    // The kernel ties tracing to a thread: whatever this one still traces at its end runs on.
    std::thread([&] {
        ::prctl(PR_SET_NAME, "attach");
        ::prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
        result = Injection(m_pid, m_options).run(command);
    }).join();
    if (!result)
        return result.error().within(fmt::format("the tracer cannot be loaded into process {}", m_pid));
    return result;
}

model::Result<InjectionReport> TracerInjector::start(const std::string &address)
{
    // Threads may be in hooks from the time of a recorder that was killed: since they know of its end they come out and do not go in again.
    auto report = command(wire::AttachAction::Start, address);
    const auto begin = std::chrono::steady_clock::now();
    for (auto pause = kFirstPause; report && report->answer.status == wire::AttachStatus::Busy
         && std::chrono::steady_clock::now() - begin < kBusyLimit;
         pause = std::min(pause * 2, kLongestPause)) {
        std::this_thread::sleep_for(pause);
        report = command(wire::AttachAction::Start, address);
    }
    if (report && report->answer.status != wire::AttachStatus::Done)
        return Error(fmt::format("the heap of process {} cannot be traced: {}", m_pid, textOf(report->answer.status)));
    return report;
}

model::Result<InjectionReport> TracerInjector::scan(const std::string &address)
{
    return command(wire::AttachAction::Scan, address);
}

model::Result<InjectionReport> TracerInjector::stop(const std::string &address)
{
    for (int i = 0;; ++i) {
        auto report = command(wire::AttachAction::Stop, address);
        // A thread that waits inside the allocator keeps the shared memory for a while; its slots are its own again.
        const bool isBusy = report && report->answer.status == wire::AttachStatus::Busy;
        if ((report && !isBusy) || i == (isBusy ? kStopRetries : kFailureRetries))
            return report;
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
}

} // namespace capture
