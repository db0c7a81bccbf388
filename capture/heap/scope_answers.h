// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/heap/scope_text.h"
#include "capture/symbols/elf_image.h"
#include "capture/wire/layout.h"

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace capture {

/// A frame of a target's stack, as its shared memory tells it.
struct ScopeFrame
{
    std::uint64_t address = 0; ///< as the ELF file has it
    bool isReturn = true;
    std::uint64_t moduleBegin = 0;
    std::string modulePath; ///< as its loader names it; empty: the program
    std::string buildId;    ///< of the loaded image, lower-case hex; empty if it has none
};

/// The frames of a node's stack, innermost first. What the target wrote is checked; an end that makes no sense ends the stack.
std::vector<ScopeFrame> scopeFrames(wire::MemoryView view, std::uint32_t node);

/// Names the stacks of scopes that went beyond a limit, in a thread of its own ("scope-answers"): reading debug information takes long, and
/// rings must be read meanwhile.
class ScopeAnswers
{
public:
    /// A question of an image, with all that is needed to put its answer into words.
    struct Job
    {
        std::uint64_t image = 0; ///< whatever the caller knows it by
        std::int32_t pid = 0;
        ScopeAnswer answer;
        std::vector<std::vector<ScopeFrame>> stacks; ///< of the excesses, in their order
    };
    /// Called on the thread.
    using Deliver = std::function<void(const Job &job, const std::string &text)>;

    explicit ScopeAnswers(Deliver deliver);
    /// Leaves what is not answered.
    ~ScopeAnswers();
    ScopeAnswers(const ScopeAnswers &) = delete;
    ScopeAnswers &operator=(const ScopeAnswers &) = delete;

    /// False where too many wait already, of a program that does not wait for its answers. Any thread.
    bool submit(Job job);

private:
    void run(const std::stop_token &stop);
    std::vector<NamedStack> named(const Job &job);
    ElfImage &imageOf(const std::string &path, const std::string &buildId, std::int32_t pid);

    Deliver m_deliver;
    std::map<std::string, std::unique_ptr<ElfImage>> m_images; ///< by build-id and path; of the thread

    std::mutex m_mutex; ///< guards m_jobs
    std::condition_variable_any m_wake;
    std::deque<Job> m_jobs;
    std::jthread m_thread; ///< last: ends before what it uses
};

} // namespace capture
