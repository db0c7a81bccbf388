// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/file_descriptor.h"
#include "capture/symbols/elf_image.h"
#include "model/tables/table_builder.h"

#include <sys/types.h>

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

namespace capture {

/// Finds functions and lines of frames in a thread of its own ("symbolizer"), each frame once. All functions are for the capture
/// thread. Frames of the kernel and of generated code are named elsewhere. Only local files are read; debuginfod servers
/// are never asked.
class Symbolizer
{
public:
    /// `debugRoot`: where separate debug files are installed.
    explicit Symbolizer(std::string debugRoot = "/usr/lib/debug");
    /// Stops without waiting for what is pending.
    ~Symbolizer();
    Symbolizer(const Symbolizer &) = delete;
    Symbolizer &operator=(const Symbolizer &) = delete;

    /// Hands over frames that were added to `tables` since the last call, as many as the queue takes; the rest follows with
    /// the next call. `livePids`: processes of the session, in whose file systems modules are looked for if they are not ours.
    void request(const model::TableBuilder &tables, const std::vector<std::int32_t> &livePids);

    /// Sets what was found since the last call in `tables`. Returns the number of frames set.
    std::size_t apply(model::TableBuilder &tables);

    /// Becomes readable when `apply` has something to set.
    int descriptor() const { return m_event.get(); }

    /// Requests and applies until every frame is done; frames that nobody can name become NoSymbol. `progress(done, total)` is called
    /// several times a second and ends it early by returning false; what is left is unresolved then. Call it last.
    void finish(model::TableBuilder &tables, const std::vector<std::int32_t> &livePids,
        const std::function<bool(std::size_t done, std::size_t total)> &progress);

    /// How many images are open. For tests, between requests.
    std::size_t openImages() const;

private:
    struct Request
    {
        model::FrameId frame;
        std::uint64_t address = 0;
        bool isReturn = false; ///< it is where a call returns to
        std::shared_ptr<const ImageQuery> image;
    };
    struct Answer
    {
        model::FrameId frame;
        model::FrameSymbols::State state = model::FrameSymbols::State::NoSymbol;
        std::vector<SourceFrame> lines;
    };
    struct CachedImage
    {
        std::shared_ptr<ElfImage> image; ///< shared by copies of a file under other names
        std::uint64_t fileBytes = 0;     ///< 0: there was none
        std::uint64_t lastUse = 0;
    };

    void start(int nicer);
    void hurry();
    void run(const std::stop_token &stop);
    Answer answer(const Request &request);
    ElfImage &imageOf(const std::shared_ptr<const ImageQuery> &query);
    std::shared_ptr<const ImageQuery> queryOf(const model::ProgramTables &tables, model::ModuleId module);

    std::string m_debugRoot;
    FileDescriptor m_event;

    // Capture thread.
    std::size_t m_nextFrame = 0;
    std::size_t m_outstanding = 0; ///< requested, not applied
    std::vector<std::string> m_roots;
    std::vector<std::int32_t> m_pids;
    std::vector<std::shared_ptr<const ImageQuery>> m_queries; ///< by ModuleId

    // Symbolizer thread.
    std::map<const ImageQuery *, CachedImage> m_images; ///< queries live as long as this object
    std::uint64_t m_uses = 0;

    std::mutex m_mutex; ///< guards m_requests and m_answers
    std::condition_variable_any m_wake;
    std::deque<Request> m_requests;
    std::vector<Answer> m_answers;

    std::atomic<pid_t> m_tid = 0; ///< of the thread, once it runs
    std::jthread m_thread;        ///< last: ends before what it uses
};

} // namespace capture
