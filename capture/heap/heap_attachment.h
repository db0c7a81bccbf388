// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/file_descriptor.h"
#include "capture/target/link_map_watch.h"
#include "capture/target/tracer_injector.h"
#include "model/base/result.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace capture {

/// The tracer in a process that ran already, from its loading until it is dormant again. Looks for modules that the process loads
/// meanwhile, whose calls are redirected too (a thread, "heap-modules").
class HeapAttachment
{
public:
    /// `address`: where the recorder is met. On failure the process runs on as before.
    static model::Result<std::unique_ptr<HeapAttachment>> start(
        std::int32_t pid, const std::string &address, TracerInjector::Options options);
    /// Puts the process back, and what it forked.
    ~HeapAttachment();
    HeapAttachment(const HeapAttachment &) = delete;
    HeapAttachment &operator=(const HeapAttachment &) = delete;

    const InjectionReport &report() const { return m_report; }

    /// A process that has met the recorder was forked by the one attached to, or by one that was, whether or not that runs still.
    /// Any thread.
    void forked(std::int32_t pid);

    /// How often a look at modules was given up, as no thread could be borrowed for a long time. Any thread.
    std::int64_t scansGivenUp() const { return m_scansGivenUp; }

private:
    /// A process that has the tracer, and not another one that gets its number later.
    struct Member
    {
        std::int32_t pid = 0;
        FileDescriptor process; ///< a pidfd; not open where there was none to be had
    };

    HeapAttachment(std::int32_t pid, std::string address, TracerInjector::Options options, InjectionReport report);
    void watchModules(const std::stop_token &stop);
    void add(std::int32_t pid);
    bool scan();
    void dropEnded();
    bool isRunning();
    static bool hasEnded(const Member &member);

    std::int32_t m_pid;
    std::string m_address;
    TracerInjector::Options m_options;
    InjectionReport m_report;
    std::mutex m_mutex;           ///< guards m_family
    std::vector<Member> m_family; ///< all that have the tracer and, at the last look, ran
    std::atomic<std::int64_t> m_scansGivenUp = 0;
    std::jthread m_thread;
};

} // namespace capture
