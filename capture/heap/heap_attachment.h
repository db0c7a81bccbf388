// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/file_descriptor.h"
#include "capture/target/link_map_watch.h"
#include "capture/target/tracer_injector.h"
#include "model/base/result.h"

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace capture {

/// The tracer in processes that ran already, from its loading until it is dormant again. Looks for modules that they load meanwhile, whose
/// calls are redirected too (a thread, "heap-modules").
class HeapAttachment
{
public:
    /// `address`: where the recorder is met.
    HeapAttachment(std::string address, TracerInjector::Options options);
    /// Puts the processes back, and what they forked.
    ~HeapAttachment();
    HeapAttachment(const HeapAttachment &) = delete;
    HeapAttachment &operator=(const HeapAttachment &) = delete;

    /// Loads the tracer into a process. On failure it runs on as before. One thread at a time.
    model::Result<InjectionReport> include(std::int32_t pid, const StepHandler &onStep);

    /// What loading it into this process came to; all 0 where it was not loaded by us. Any thread.
    InjectionReport report(std::int32_t pid);

    /// A process has the tracer that was forked by one attached to, or by one that was, whether or not that runs still; or one of which its
    /// loading was given up too early. Any thread.
    void joined(std::int32_t pid);
    /// Whether it has the tracer by an attach, and runs. Any thread.
    bool holds(std::int32_t pid);

    /// How often a look at modules of this process was given up, as no thread could be borrowed for a long time. Any thread.
    std::int64_t scansGivenUp(std::int32_t pid);

private:
    /// A process that has the tracer, and not another one that gets its number later.
    struct Member
    {
        std::int32_t pid = 0;
        FileDescriptor process; ///< a pidfd; not open where there was none to be had
    };

    /// A process whose modules are watched.
    struct Program
    {
        Program(std::int32_t ofPid, const InjectionReport &ofReport);

        const std::int32_t pid;
        const InjectionReport report;
        std::atomic<std::int64_t> scansGivenUp = 0;
        bool isReplaced = false; ///< its process runs another program by now, which has a Program of its own
        std::optional<std::chrono::steady_clock::time_point> gone; ///< since when it is known to be over
        // Of the thread.
        std::optional<LinkMapWatch> modules; ///< none once it is over
        bool isDue;
        std::chrono::milliseconds pause;
        std::chrono::steady_clock::time_point next; ///< when it may be looked at again
    };

    void watchModules(const std::stop_token &stop);
    void look(Program &program);
    void add(std::int32_t pid);
    void addProgram(std::int32_t pid, const InjectionReport &report);
    const Program *find(std::int32_t pid) const;
    bool scan(std::int32_t pid);
    std::vector<Program *> dropEnded();
    bool isRunning(std::int32_t pid) const;
    static bool hasEnded(const Member &member);

    std::string m_address;
    TracerInjector::Options m_options;
    std::mutex m_mutex;                               ///< guards m_family and m_programs
    std::vector<Member> m_family;                     ///< all that have the tracer and, at the last look, ran
    std::vector<std::unique_ptr<Program>> m_programs; ///< those that it was loaded into; only the thread removes
    std::jthread m_thread;
};

} // namespace capture
