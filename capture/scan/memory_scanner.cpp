// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/scan/memory_scanner.h"

#include "capture/monotonic_clock.h"
#include "capture/scan/block_reader.h"
#include "capture/scan/glibc_arena.h"
#include "capture/scan/sentences.h"
#include "capture/symbols/variable_names.h"
#include "model/scan_reading.h"

#include <fmt/format.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <unordered_map>
#include <utility>

namespace capture {

namespace {

constexpr std::size_t kMostEarlier = 16;
constexpr std::size_t kMostImages = 256;   ///< whose lost blocks are remembered
constexpr std::size_t kMostKeepers = 1000; ///< stacks that are stored for what they retain alone

/// Where glibc keeps its lists of free memory. Read while the process runs: it does not move.
std::vector<KnownMemory::Range> mainArena(const ProcessCopy &copy)
{
    constexpr std::size_t kMostBytes = 1u << 20;
    for (const ScanRegion &region : copy.regions) {
        if (region.kind != ScanRegion::Kind::Variables || !region.name.ends_with(" libc.so.6"))
            continue;
        std::vector<std::uint64_t> words(std::min<std::size_t>(region.end - region.begin, kMostBytes) / 8);
        const iovec local{words.data(), words.size() * 8};
        const iovec remote{reinterpret_cast<void *>(static_cast<std::uintptr_t>(region.begin)), words.size() * 8};
        if (::process_vm_readv(copy.pid, &local, 1, &remote, 1, 0) <= 0)
            continue;
        if (const auto arena = findMainArena(words, region.begin))
            return {*arena};
    }
    return {};
}

/// Memory of which nobody knows whose it is may be an allocator's own, with lists of all that it has.
bool isStrong(ScanRegion::Kind kind)
{
    return kind == ScanRegion::Kind::Variables || kind == ScanRegion::Kind::Stack || kind == ScanRegion::Kind::Mapping;
}

model::PointerGraph graphOf(const ScanJob &job, const model::BlockIndex &blocks, const std::stop_token &stop)
{
    const ProcessCopy &copy = job.copy;
    const bool isComplete = job.scan.proof == model::ScanProof::Complete;
    model::PointerGraphBuilder builder(
        blocks, rootRanges(copy.regions, copy.threads, blocks, isComplete, mainArena(copy)));
    builder.reserve(copy.words->size());
    for (std::size_t i = 0; i < copy.words->chunkCount() && !stop.stop_requested(); ++i)
        builder.addWords(copy.words->chunk(i));
    for (std::size_t i = 0; i < copy.threads.size(); ++i) {
        const auto root = static_cast<std::uint32_t>(copy.regions.size() + i);
        for (const std::uint64_t value : copy.threads[i].values)
            builder.addRootValue(value, root);
        // A stack may lie in a block: a coroutine's.
        if (const std::uint32_t stack = blocks.find(copy.threads[i].stackPointer); stack != model::BlockIndex::kNone)
            builder.addRootBlock(stack, root);
    }
    const auto loader = static_cast<std::uint32_t>(copy.regions.size() + copy.threads.size());
    for (std::uint32_t i = 0; i < blocks.size(); ++i)
        if (const auto node = static_cast<std::size_t>(blocks[i].node); node < job.isLoaderNode.size())
            if (job.isLoaderNode[node])
                builder.addRootBlock(i, loader);
    return builder.take(
        [&copy](std::uint32_t root) { return root >= copy.regions.size() || isStrong(copy.regions[root].kind); });
}

std::string rootName(const ProcessCopy &copy, const model::PointerGraph::RootLink &root, VariableNames &names)
{
    if (root.root < copy.regions.size()) {
        const ScanRegion &region = copy.regions[root.root];
        if (region.kind != ScanRegion::Kind::Variables || root.address < region.moduleBase)
            return region.name;
        const std::uint64_t offset = root.address - region.moduleBase;
        std::string name
            = names.of(fmt::format("/proc/{}/root{}", copy.pid, region.modulePath), region.moduleInode, offset);
        if (name.empty()) // the process may be gone by now
            name = names.of(region.modulePath, region.moduleInode, offset);
        return name.empty()
            ? fmt::format("{} +{:#x}", region.name, offset)
            : fmt::format("variable {} of {}", name, region.modulePath.substr(region.modulePath.rfind('/') + 1));
    }
    if (root.root < copy.regions.size() + copy.threads.size())
        return fmt::format("registers of thread {}", copy.threads[root.root - copy.regions.size()].tid);
    return "the dynamic loader";
}

model::StackId stackOf(const ScanJob &job, std::uint32_t node)
{
    return node < job.stackOfNode.size() ? job.stackOfNode[node] : model::StackId(0u);
}

std::int64_t lossOf(const model::ScannedStack &stack)
{
    return stack.sums[static_cast<std::size_t>(model::ReachClass::Directly)].bytes
        + stack.sums[static_cast<std::size_t>(model::ReachClass::Indirectly)].bytes;
}

bool isPlain(const model::ScannedStack &stack)
{
    return std::all_of(stack.sums.begin() + 1, stack.sums.end(), [](const auto &sum) { return sum.blocks == 0; });
}

/// Rows by stack of the session: several nodes may be one.
std::vector<model::ScannedStack> stacksOf(const ScanJob &job, const std::vector<model::ScannedNode> &nodes)
{
    std::unordered_map<std::uint32_t, std::size_t> places;
    std::vector<model::ScannedStack> stacks;
    for (const model::ScannedNode &node : nodes) {
        const model::StackId id = stackOf(job, node.node);
        const auto [it, isNew] = places.emplace(id.value, stacks.size());
        if (isNew) {
            stacks.push_back({});
            stacks.back().stack = id;
        }
        model::ScannedStack &stack = stacks[it->second];
        for (std::size_t reach = 0; reach < model::kReachClassCount; ++reach)
            stack.sums[reach] += node.sums[reach];
        stack.confirmed += node.confirmed;
        stack.held += node.held;
        stack.retained += node.retained;
    }
    const auto keepers
        = std::partition(stacks.begin(), stacks.end(), [](const auto &stack) { return !isPlain(stack); });
    std::sort(keepers, stacks.end(), [](const auto &a, const auto &b) { return a.retained.bytes > b.retained.bytes; });
    const auto most = static_cast<std::ptrdiff_t>(kMostKeepers);
    if (stacks.end() - keepers > most)
        stacks.erase(keepers + most, stacks.end());
    std::sort(stacks.begin(), stacks.end(), [](const auto &a, const auto &b) {
        const auto key = [](const model::ScannedStack &stack) {
            return std::tuple(lossOf(stack), stack.sums[static_cast<std::size_t>(model::ReachClass::Possibly)].bytes,
                stack.retained.bytes, -static_cast<std::int64_t>(stack.stack.value));
        };
        return key(a) > key(b);
    });
    return stacks;
}

} // namespace

MemoryScanner::MemoryScanner()
    : m_event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK))
    , m_thread([this](const std::stop_token &stop) {
        ::pthread_setname_np(::pthread_self(), "heap-scan");
        run(stop);
    })
{
}

MemoryScanner::~MemoryScanner()
{
    m_thread.request_stop();
    m_thread.join();
}

void MemoryScanner::submit(ScanJob job)
{
    {
        const std::lock_guard lock(m_mutex);
        m_jobs.push_back(std::move(job));
    }
    m_changed.notify_all();
}

std::vector<model::MemoryScan> MemoryScanner::takeResults()
{
    std::uint64_t ignored = 0;
    static_cast<void>(!::read(m_event.get(), &ignored, sizeof ignored));
    const std::lock_guard lock(m_mutex);
    return std::exchange(m_results, {});
}

bool MemoryScanner::isBusy() const
{
    const std::lock_guard lock(m_mutex);
    return m_isWorking || !m_jobs.empty() || !m_results.empty() || !m_unread.empty();
}

bool MemoryScanner::hasResults() const
{
    const std::lock_guard lock(m_mutex);
    return !m_results.empty();
}

bool MemoryScanner::waitUntilIdle(std::chrono::milliseconds limit)
{
    std::unique_lock lock(m_mutex);
    return m_changed.wait_for(lock, limit, [this] { return !m_isWorking && m_jobs.empty(); });
}

bool MemoryScanner::waitUntilRead(std::chrono::milliseconds limit)
{
    std::unique_lock lock(m_mutex);
    return m_changed.wait_for(lock, limit, [this] {
        return !m_isReading && std::none_of(m_jobs.begin(), m_jobs.end(), [](const ScanJob &job) {
            return job.copy.snapshot.has_value();
        });
    });
}

bool MemoryScanner::hasUnread() const
{
    const std::lock_guard lock(m_mutex);
    return !m_unread.empty();
}

std::vector<MemoryScanner::Unread> MemoryScanner::takeUnread()
{
    const std::lock_guard lock(m_mutex);
    return std::exchange(m_unread, {});
}

std::vector<MemoryScanner::EndedCopy> MemoryScanner::takeEndedCopies()
{
    const std::lock_guard lock(m_mutex);
    return std::exchange(m_endedCopies, {});
}

void MemoryScanner::run(const std::stop_token &stop)
{
    for (;;) {
        std::unique_lock lock(m_mutex);
        if (!m_changed.wait(lock, stop, [this] { return !m_jobs.empty(); }))
            return;
        ScanJob job = std::move(m_jobs.front());
        m_jobs.pop_front();
        m_isWorking = m_isReading = true;
        lock.unlock();
        const bool isRead = read(job, stop);
        lock.lock();
        m_isReading = false;
        lock.unlock();
        m_changed.notify_all();
        model::MemoryScan scan;
        if (isRead)
            scan = analyze(job, stop);
        lock.lock();
        m_isWorking = false;
        if (isRead && !stop.stop_requested())
            m_results.push_back(std::move(scan));
        lock.unlock();
        m_changed.notify_all();
        const std::uint64_t one = 1;
        static_cast<void>(!::write(m_event.get(), &one, sizeof one));
    }
}

const MemoryScanner::Earlier *MemoryScanner::earlierOf(const ScanJob &job)
{
    const auto known = m_earlier.find(job.scan.image);
    if (known == m_earlier.end())
        return nullptr;
    std::deque<Earlier> &list = known->second; // never empty
    const std::int64_t limit = job.scan.when.ns - job.parameters.confirmAfterNs * 9 / 10;
    while (list.size() > 1 && list[1].whenNs <= limit)
        list.pop_front();
    return list.front().whenNs <= limit ? &list.front() : nullptr;
}

void MemoryScanner::remember(const ScanJob &job, std::vector<model::LostBlock> lost)
{
    std::deque<Earlier> &list = m_earlier[job.scan.image];
    if (list.size() >= kMostEarlier)
        list.erase(list.begin() + 1);
    list.push_back({job.scan.id, job.scan.when.ns, std::move(lost)});
    // Images that ended are not looked at again: theirs is the oldest last look.
    if (m_earlier.size() > kMostImages)
        m_earlier.erase(std::min_element(m_earlier.begin(), m_earlier.end(),
            [](const auto &a, const auto &b) { return a.second.back().whenNs < b.second.back().whenNs; }));
}

/// Reads what is still to be read. False: there is nothing to analyse.
bool MemoryScanner::read(ScanJob &job, const std::stop_token &stop)
{
    model::MemoryScan &scan = job.scan;
    scan.analysisNs = -monotonicNs();
    if (job.copy.snapshot) {
        const auto reading = readSnapshot(job.copy, *job.filter, stop);
        {
            const std::lock_guard lock(m_mutex);
            m_endedCopies.push_back({job.copy.snapshot->pid(), job.copy.snapshot->end()});
            if (!reading && !stop.stop_requested())
                m_unread.push_back({scan.image, job.parameters, reading.error().text()});
        }
        job.copy.snapshot.reset();
        if (!reading)
            return false;
        scan.scannedBytes = job.copy.scannedBytes;
        scan.unreadableBytes = job.copy.unreadableBytes;
        addSentence(scan.limits,
            fmt::format("{}, which lived for {:.0f} ms, while the program changed {} KiB of it", model::kReadFromCopy,
                static_cast<double>(reading->livedNs) / 1e6, reading->copiedBytes / 1024));
    } else {
        addSentence(scan.limits, std::string(model::kReadWhileStopped) + ": " + job.noSnapshot);
    }
    job.filter.reset();
    if (scan.unreadableBytes > 0) {
        scan.proof = model::ScanProof::LowerBound;
        addSentence(scan.limits,
            fmt::format("{} bytes could not be read: what only they hold is taken for lost", scan.unreadableBytes));
    }
    return true;
}

model::MemoryScan MemoryScanner::analyze(ScanJob &job, const std::stop_token &stop)
{
    model::MemoryScan scan = job.scan;
    const model::BlockIndex blocks(std::move(job.blocks));
    model::PointerGraph graph = graphOf(job, blocks, stop);
    job.copy.words.reset();
    if (stop.stop_requested())
        return scan;
    model::Marks marks = model::markReachable(graph);
    const BlockReader reader(job.copy.pid, job.copy.mappings);
    if (model::promoteInterior(
            graph, marks, blocks,
            [&](const model::ScanBlock &block, std::uint64_t offset) { return reader.head(block, offset); },
            [&](std::uint64_t address) { return reader.isVirtualTable(address); }))
        marks = model::markReachable(graph);
    model::ReachParameters parameters;
    parameters.nowUs = scan.when.ns / 1000;
    parameters.minAgeUs = job.parameters.minAgeNs / 1000;
    parameters.firstBirthUs = job.firstBirthUs;
    const Earlier *earlier = earlierOf(job);
    if (earlier) {
        parameters.earlier = earlier->lost;
        scan.confirms = earlier->id;
    }
    model::ReachSummary summary = model::summarizeReach(blocks, graph, marks, parameters, stop);
    scan.sums = summary.sums;
    scan.confirmed = summary.confirmed;
    scan.stacks = stacksOf(job, summary.nodes);
    VariableNames names;
    for (const model::NodePath &found : summary.paths) {
        model::HolderPath path{
            stackOf(job, found.node), found.retained, rootName(job.copy, graph.roots[found.root], names), {}};
        for (const model::NodePath::Step &step : found.way)
            path.way.push_back({stackOf(job, step.node), step.blocks});
        scan.paths.push_back(std::move(path));
    }
    scan.analysisNs += monotonicNs();
    remember(job, std::move(summary.lost));
    return scan;
}

} // namespace capture
