// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/heap/scope_answers.h"

#include "capture/heap/module_names.h"
#include "capture/symbols/build_id.h"

#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include <utility>

namespace capture {

namespace {

constexpr int kNiceness = 10; ///< whose memory is not looked at does not wait for the answer

constexpr std::size_t kMostFrames = 64;
constexpr std::size_t kMostImages = 64; // open at a time
constexpr std::size_t kMostJobs = 256;

/// The module that a node names; false if it is none.
bool readModule(wire::MemoryView view, std::uint32_t index, std::uint64_t &loadBias, ScopeFrame &frame)
{
    if (index >= wire::kMaxModules || view.module(index).ready.load(std::memory_order_acquire) == 0)
        return false;
    const wire::ModuleRecord &record = view.module(index);
    const std::uint32_t offset = __atomic_load_n(&record.pathOffset, __ATOMIC_RELAXED);
    const std::uint32_t bytes = __atomic_load_n(&record.pathBytes, __ATOMIC_RELAXED);
    if (offset > wire::kModulePathBytes || bytes > wire::kModulePathBytes - offset)
        return false;
    frame.moduleBegin = __atomic_load_n(&record.begin, __ATOMIC_RELAXED);
    frame.modulePath.assign(view.paths() + offset, bytes);
    loadBias = __atomic_load_n(&record.loadBias, __ATOMIC_RELAXED);
    std::uint8_t id[wire::kMostBuildIdBytes];
    const std::uint32_t idBytes = wire::copyBuildId(record, id);
    frame.buildId = hexOf({id, idBytes});
    return true;
}

} // namespace

std::vector<ScopeFrame> scopeFrames(wire::MemoryView view, std::uint32_t node)
{
    std::vector<ScopeFrame> frames;
    while (node >= wire::kRootNodes && node < wire::kMaxNodes && frames.size() < kMostFrames) {
        const std::uint64_t address = __atomic_load_n(&view.node(node).address, __ATOMIC_RELAXED);
        const std::uint32_t parent = __atomic_load_n(&view.node(node).parent, __ATOMIC_RELAXED);
        const std::uint32_t module = __atomic_load_n(&view.node(node).module, __ATOMIC_RELAXED);
        ScopeFrame frame;
        std::uint64_t loadBias = 0;
        frame.isReturn = (address & wire::kExactAddress) == 0;
        if (readModule(view, module, loadBias, frame)) {
            frame.address = (address & ~wire::kExactAddress) - loadBias;
            frames.push_back(std::move(frame));
        }
        if (parent >= node)
            break; // parents have lower numbers
        node = parent;
    }
    return frames;
}

ScopeAnswers::ScopeAnswers(Deliver deliver)
    : m_deliver(std::move(deliver))
{
    m_thread = std::jthread([this](const std::stop_token &stop) {
        ::pthread_setname_np(::pthread_self(), "scope-answers");
        ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), kNiceness);
        run(stop);
    });
}

ScopeAnswers::~ScopeAnswers() = default;

bool ScopeAnswers::submit(Job job)
{
    {
        const std::lock_guard lock(m_mutex);
        if (m_jobs.size() >= kMostJobs)
            return false;
        m_jobs.push_back(std::move(job));
    }
    m_wake.notify_one();
    return true;
}

void ScopeAnswers::run(const std::stop_token &stop)
{
    for (;;) {
        Job job;
        {
            std::unique_lock lock(m_mutex);
            if (!m_wake.wait(lock, stop, [this] { return !m_jobs.empty(); }))
                return;
            job = std::move(m_jobs.front());
            m_jobs.pop_front();
        }
        m_deliver(job, scopeText(job.answer, named(job)));
    }
}

std::vector<NamedStack> ScopeAnswers::named(const Job &job)
{
    ModuleNames names(job.pid);
    std::vector<NamedStack> stacks;
    for (const std::vector<ScopeFrame> &frames : job.stacks) {
        NamedStack &stack = stacks.emplace_back();
        for (const ScopeFrame &frame : frames) {
            const auto &[path, buildId] = names.nameOf(frame.moduleBegin, frame.modulePath, frame.buildId);
            std::vector<SourceFrame> lines;
            imageOf(path, buildId, job.pid).find(frame.address - (frame.isReturn ? 1 : 0), lines);
            if (lines.empty())
                lines.push_back({path.substr(path.rfind('/') + 1), {}, 0, false});
            stack.insert(stack.end(), lines.begin(), lines.end());
        }
    }
    return stacks;
}

ElfImage &ScopeAnswers::imageOf(const std::string &path, const std::string &buildId, std::int32_t pid)
{
    if (m_images.size() >= kMostImages)
        m_images.clear();
    std::unique_ptr<ElfImage> &image = m_images[buildId + ' ' + path];
    if (!image) {
        ImageQuery query;
        query.path = path;
        query.buildId = buildId;
        query.roots = {std::string(), "/proc/" + std::to_string(pid) + "/root"};
        query.pids = {pid};
        image = ElfImage::open(query);
    }
    return *image;
}

} // namespace capture
