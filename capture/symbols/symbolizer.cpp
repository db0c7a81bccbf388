// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/symbols/symbolizer.h"

#include "capture/symbols/mapped_file.h"

#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <set>

namespace capture {

using model::FrameKind;
using model::FrameSymbols;
using model::ModuleKind;

namespace {

constexpr std::size_t kMostOutstanding = 16 * 1024; ///< frames handed over and not taken back
constexpr std::size_t kMostImages = 64;             ///< open at a time
constexpr std::size_t kBatch = 64;                  ///< answers handed back at once
constexpr std::size_t kMostRoots = 16;
/// Names can wait, the target cannot; but what the thread is in the middle of when somebody waits, a large file, it ends at this pace: at 10 a
/// thread that is not privileged would have 1/9 of the turn that others have, at 5 a third.
constexpr int kNiceness = 5;
constexpr int kProgressMs = 100;

/// What a process sees of the file system: its mounts, and which directory is its root. Two that are equal see the same files.
using FileView = std::array<std::uint64_t, 4>;

FileView fileViewOf(const std::string &process)
{
    struct stat mounts = {};
    struct stat root = {};
    if (::stat((process + "/ns/mnt").c_str(), &mounts) != 0 || ::stat((process + "/root/").c_str(), &root) != 0)
        return {};
    return {mounts.st_dev, mounts.st_ino, root.st_dev, root.st_ino};
}

/// Of the first file that a module is looked for in; 0 where there is none.
std::uint64_t fileBytesOf(const ImageQuery &query)
{
    struct stat status = {};
    for (const std::string &root : query.roots) {
        if (::stat((root + withoutDeletedMark(query.path)).c_str(), &status) == 0)
            return static_cast<std::uint64_t>(status.st_size);
    }
    return 0;
}

bool isOurs(ModuleKind kind) { return kind == ModuleKind::File || kind == ModuleKind::Vdso; }

} // namespace

Symbolizer::Symbolizer(std::string debugRoot)
    : m_debugRoot(std::move(debugRoot))
    , m_event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK))
{
    start(kNiceness);
}

/// `nicer`: how much nicer than the calling thread it is.
void Symbolizer::start(int nicer)
{
    // Signals are for the threads that handle them.
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    m_thread = std::jthread([this, nicer](const std::stop_token &stop) {
        pthread_setname_np(pthread_self(), "symbolizer");
        m_tid = ::gettid();
        ::setpriority(PRIO_PROCESS, 0, ::getpriority(PRIO_PROCESS, 0) + nicer);
        run(stop);
    });
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

/// From now on somebody waits for names. Niceness that a thread has given up it gets back only by privilege, so another one goes on.
void Symbolizer::hurry()
{
    if (m_tid != 0)
        ::setpriority(PRIO_PROCESS, static_cast<id_t>(m_tid.load()), ::getpriority(PRIO_PROCESS, 0));
    m_thread.request_stop();
    m_thread.join();
    start(0);
}

Symbolizer::~Symbolizer()
{
    m_thread.request_stop();
    m_thread.join();
}

std::shared_ptr<const ImageQuery> Symbolizer::queryOf(const model::ProgramTables &tables, model::ModuleId module)
{
    if (m_queries.size() <= module.index())
        m_queries.resize(module.index() + 1);
    std::shared_ptr<const ImageQuery> &query = m_queries[module.index()];
    if (!query) {
        const model::Module &row = tables.modules[module.index()];
        std::vector<std::string> roots = m_roots;
        // Without a build-id nothing tells a container's file from ours of the same name: then it is theirs.
        roots.insert(tables.text(row.buildId).empty() ? roots.end() : roots.begin(), std::string());
        query = std::make_shared<ImageQuery>(ImageQuery{
            tables.text(row.path), tables.text(row.buildId), row.kind, std::move(roots), m_debugRoot, m_pids});
    }
    return query;
}

void Symbolizer::request(const model::TableBuilder &builder, const std::vector<std::int32_t> &livePids)
{
    const model::ProgramTables &tables = builder.tables();
    if (m_nextFrame == tables.frames.size() || m_outstanding >= kMostOutstanding)
        return;
    m_roots.clear();
    m_pids = livePids;
    m_pids.resize(std::min(m_pids.size(), kMostRoots));
    std::set<FileView> known{FileView(), fileViewOf("/proc/self")};
    for (const std::int32_t pid : livePids) {
        const std::string process = "/proc/" + std::to_string(pid);
        if (m_roots.size() < kMostRoots && known.insert(fileViewOf(process)).second)
            m_roots.push_back(process + "/root");
    }
    std::vector<Request> added;
    for (; m_nextFrame < tables.frames.size() && m_outstanding < kMostOutstanding; ++m_nextFrame) {
        const model::Frame &frame = tables.frames[m_nextFrame];
        if (tables.symbols[m_nextFrame].state != FrameSymbols::State::Pending
            || !isOurs(tables.modules[frame.module.index()].kind))
            continue;
        const bool isReturn = frame.kind == FrameKind::ReturnAddress && frame.address > 0;
        added.push_back({model::FrameId(m_nextFrame), frame.address, isReturn, queryOf(tables, frame.module)});
        ++m_outstanding;
    }
    {
        const std::lock_guard lock(m_mutex);
        m_requests.insert(
            m_requests.end(), std::make_move_iterator(added.begin()), std::make_move_iterator(added.end()));
    }
    m_wake.notify_one();
}

std::size_t Symbolizer::apply(model::TableBuilder &tables)
{
    std::uint64_t signals = 0;
    [[maybe_unused]] const ssize_t got = ::read(m_event.get(), &signals, sizeof signals);
    std::vector<Answer> answers;
    {
        const std::lock_guard lock(m_mutex);
        answers.swap(m_answers);
    }
    for (const Answer &answer : answers) {
        std::vector<model::SourceLine> lines;
        for (const SourceFrame &line : answer.lines)
            lines.push_back({tables.string(line.function), tables.string(line.file), line.line});
        tables.setSymbols(answer.frame, answer.state, lines);
    }
    m_outstanding -= answers.size();
    return answers.size();
}

void Symbolizer::finish(model::TableBuilder &tables, const std::vector<std::int32_t> &livePids,
    const std::function<bool(std::size_t done, std::size_t total)> &progress)
{
    std::size_t done = 0;
    request(tables, livePids);
    if (m_outstanding > 0)
        hurry();
    while (m_outstanding > 0) {
        pollfd entry{m_event.get(), POLLIN, 0};
        ::poll(&entry, 1, kProgressMs);
        done += apply(tables);
        request(tables, livePids);
        const std::size_t left = tables.tables().frames.size() - m_nextFrame + m_outstanding;
        if (!progress(done, done + left))
            return;
    }
    const auto &symbols = tables.tables().symbols;
    for (std::size_t i = 0; i < symbols.size(); ++i) {
        if (symbols[i].state == FrameSymbols::State::Pending)
            tables.setSymbols(model::FrameId(i), FrameSymbols::State::NoSymbol, {});
    }
}

void Symbolizer::run(const std::stop_token &stop)
{
    while (!stop.stop_requested()) {
        std::vector<Request> batch;
        {
            std::unique_lock lock(m_mutex);
            if (!m_wake.wait(lock, stop, [this] { return !m_requests.empty(); }))
                return;
            const std::size_t count = std::min(kBatch, m_requests.size());
            const auto end = m_requests.begin() + static_cast<std::ptrdiff_t>(count);
            batch.assign(std::make_move_iterator(m_requests.begin()), std::make_move_iterator(end));
            m_requests.erase(m_requests.begin(), end);
        }
        std::vector<Answer> answers;
        for (auto request = batch.begin(); request != batch.end() && !stop.stop_requested(); ++request)
            answers.push_back(answer(*request));
        {
            const std::lock_guard lock(m_mutex);
            // What a thread that is stopped leaves, another one may go on with.
            m_requests.insert(
                m_requests.begin(), batch.begin() + static_cast<std::ptrdiff_t>(answers.size()), batch.end());
            std::move(answers.begin(), answers.end(), std::back_inserter(m_answers));
        }
        const std::uint64_t one = 1;
        [[maybe_unused]] const ssize_t written = ::write(m_event.get(), &one, sizeof one);
    }
}

std::size_t Symbolizer::openImages() const
{
    std::set<const ElfImage *> images;
    for (const auto &[query, cached] : m_images)
        images.insert(cached.image.get());
    return images.size();
}

Symbolizer::Answer Symbolizer::answer(const Request &request)
{
    Answer answer;
    answer.frame = request.frame;
    ElfImage &image = imageOf(request.image);
    answer.state = request.isReturn ? image.findCaller(request.address, answer.lines)
                                    : image.find(request.address, answer.lines);
    // What has no name has that of its file, and the image may have been opened by another one.
    if (answer.state != FrameSymbols::State::Resolved) {
        const std::string path = withoutDeletedMark(request.image->path);
        for (SourceFrame &line : answer.lines)
            line.function.replace(0, line.function.rfind('+'), path, path.rfind('/') + 1, std::string::npos);
    }
    return answer;
}

ElfImage &Symbolizer::imageOf(const std::shared_ptr<const ImageQuery> &query)
{
    const auto [it, isNew] = m_images.try_emplace(query.get());
    it->second.lastUse = ++m_uses;
    if (!isNew)
        return *it->second.image;
    it->second.fileBytes = query->buildId.empty() ? 0 : fileBytesOf(*query);
    // A stripped file and a whole one may be of the same build; they differ in size.
    const auto copy = std::find_if(m_images.begin(), m_images.end(), [&](const auto &other) {
        return other.second.image && other.second.fileBytes != 0 && other.second.fileBytes == it->second.fileBytes
            && other.first->buildId == query->buildId;
    });
    it->second.image = copy != m_images.end() ? copy->second.image : ElfImage::open(*query);
    if (m_images.size() > kMostImages) {
        const auto oldest = std::min_element(m_images.begin(), m_images.end(),
            [](const auto &a, const auto &b) { return a.second.lastUse < b.second.lastUse; });
        m_images.erase(oldest);
    }
    return *it->second.image;
}

} // namespace capture
