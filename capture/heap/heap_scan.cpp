// SPDX-License-Identifier: GPL-3.0-or-later
// HeapInstrument's part in a scan for lost memory: the books of a process as of the moment in which it stood still.
#include "capture/heap/heap_instrument.h"
#include "capture/heap/scan_blocks.h"
#include "capture/monotonic_clock.h"
#include "capture/scan/scan_room.h"
#include "capture/scan/sentences.h"
#include "capture/scan/snapshot_check.h"
#include "capture/target/remote_process.h"
#include "capture/wire/snapshot.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <string_view>
#include <thread>
#include <utility>

namespace capture {

namespace {

constexpr int kMostTries = 6;
constexpr std::chrono::milliseconds kBetweenTries{3};
constexpr std::uint64_t kLeastAddress = 4096;
constexpr std::chrono::milliseconds kMostReading{250}; ///< how long a scan waits for an earlier one's snapshot

/// Calls its function once: now, or at the end, however it comes.
template <typename Function> struct Thawing
{
    Function thaw;
    bool isDone = false;

    void now()
    {
        if (!std::exchange(isDone, true))
            thaw();
    }
    ~Thawing() { now(); }
};
template <typename Function> Thawing(Function) -> Thawing<Function>;

/// Where in a process the tracer's code lies that copies it; 0: its tracer has none.
std::uint64_t snapshotEntryOf(std::int32_t pid)
{
    const auto tracer = RemoteProcess(pid).findLibrary(
        [](std::string_view name) { return name.starts_with("libgenesis_heaptracer"); });
    return tracer ? tracer->find(wire::kSnapshotFunction) : 0;
}

/// Whether memory that a fork would share is to be looked through, which then is while the process stands still.
bool sharesMemory(const std::vector<MemoryMapping> &mappings)
{
    return std::any_of(mappings.begin(), mappings.end(), [](const MemoryMapping &mapping) {
        return mapping.isShared && mapping.isWritable && mapping.path.starts_with("/dev/zero");
    });
}

} // namespace

ScanStart HeapInstrument::beginScan(const ScanParameters &parameters)
{
    std::vector<Image *> images;
    {
        const std::lock_guard lock(m_mutex);
        for (const auto &image : m_images)
            if (!image->hasEnded && image->failure.empty())
                images.push_back(image.get());
    }
    if (!m_scanner)
        m_scanner = std::make_unique<MemoryScanner>();
    ScanStart start;
    for (Image *image : images) {
        const auto done = scanImage(*image, parameters);
        if (done)
            ++start.begun;
        else
            addSentence(start.error, done.error().text());
    }
    if (images.empty())
        start.error = "No process whose heap is traced is running, so there is nothing to look through";
    return start;
}

ScanStart HeapInstrument::scanEnds()
{
    m_hasEnds = false;
    std::vector<std::pair<Image *, std::uint32_t>> images;
    {
        const std::lock_guard lock(m_mutex);
        for (const auto &image : m_images)
            if (const std::uint32_t question = std::exchange(image->exitQuestion, 0); question != 0 && !image->hasEnded)
                images.emplace_back(image.get(), question);
    }
    if (!m_scanner)
        m_scanner = std::make_unique<MemoryScanner>();
    ScanStart start;
    for (const auto &[image, question] : images) {
        const auto done = scanImage(*image, {0, INT64_MAX, "it is about to end"});
        if (done)
            ++start.begun;
        else
            addSentence(start.error, done.error().text());
        const std::lock_guard lock(m_mutex);
        image->channel.memory().answer(question, wire::ScopeVerdict::Met, {}); // it may end now
    }
    return start;
}

ScanStart HeapInstrument::scanAgain()
{
    ScanStart start;
    if (!m_scanner)
        return start;
    for (MemoryScanner::Unread &unread : m_scanner->takeUnread()) {
        Image *image = nullptr;
        {
            const std::lock_guard lock(m_mutex);
            const auto found = std::find_if(m_images.begin(), m_images.end(),
                [&](const auto &one) { return one->id == unread.image && !one->hasEnded; });
            if (found != m_images.end())
                image = found->get();
        }
        unread.parameters.noFork = std::move(unread.reason);
        if (!image) {
            addSentence(start.error, "A process ended before its memory was read");
            continue;
        }
        if (const auto done = scanImage(*image, unread.parameters))
            ++start.begun;
        else
            addSentence(start.error, done.error().text());
    }
    return start;
}

void HeapInstrument::takeScans(model::EventBatch &batch)
{
    batch.scans = m_scanner->takeResults();
    for (const MemoryScanner::EndedCopy &ended : m_scanner->takeEndedCopies())
        m_processes.hiddenEnded(ended.pid, {ended.endNs - m_originNs});
}

void HeapInstrument::waitForScans(std::chrono::milliseconds limit)
{
    if (m_scanner)
        m_scanner->waitUntilIdle(limit);
}

model::Result<void> HeapInstrument::scanImage(Image &image, const ScanParameters &parameters)
{
    registerImage(image);
    ScanJob job;
    job.scan.id = m_scanCount + 1;
    job.scan.image = image.id;
    job.scan.minAgeNs = parameters.minAgeNs;
    job.parameters = parameters;
    job.noSnapshot = parameters.noFork;
    // One process at a time is there twice, and the recording waits for it no longer than for a tick.
    if (job.noSnapshot.empty() && !m_scanner->waitUntilRead(kMostReading))
        job.noSnapshot = "the copy of another process was still to be read";
    for (int attempt = 1;; ++attempt) {
        const auto done = tryScan(image, job, attempt);
        if (done && *done)
            break;
        // A thread may be borrowed at this very moment, by who looks for modules that the process has loaded.
        if (!done && (!m_attachment || attempt == kMostTries))
            return done.error();
        if (attempt == kMostTries)
            return model::Error(fmt::format("Process {} allocates too fast to be looked through", image.arrival.pid));
        std::this_thread::sleep_for(kBetweenTries);
    }
    ++m_scanCount;
    describeProof(image, job);
    nameNodes(image, job);
    m_scanner->submit(std::move(job));
    return {};
}

/// How the words of a process are to be read, and where they may lie.
struct HeapInstrument::ScanWay
{
    KnownMemory known;
    ScanExtent expected;
    std::uint64_t entry = 0;   ///< of the tracer's code that copies the process; 0: it is read while it stands still
    bool isFilterMade = false; ///< words are told from others during the stop, by where the blocks lay before
};

model::Result<HeapInstrument::ScanWay> HeapInstrument::chooseScanWay(Image &image, ScanJob &job)
{
    const std::int32_t pid = image.arrival.pid;
    const std::vector<MemoryMapping> mappings = readMaps(pid);
    ScanWay way{knownMemory(pid), {}, 0, false};
    if (job.noSnapshot.empty())
        job.noSnapshot = whyNoSnapshot(pid, mappings);
    way.entry = job.noSnapshot.empty() ? snapshotEntryOf(pid) : 0;
    if (job.noSnapshot.empty() && way.entry == 0)
        job.noSnapshot = "its tracer is that of another version";
    // Words that are read while the process stands still are told from others by where its blocks lie; if few are, they are all kept.
    way.isFilterMade = way.entry == 0 || sharesMemory(mappings);
    job.filter = std::make_unique<SegmentFilter>();
    if (const auto made = expect(image, mappings, way.isFilterMade ? job.filter.get() : nullptr, way.expected); !made)
        return made.error();
    if (!way.isFilterMade)
        job.filter->add(kLeastAddress, kAddressSpaceBytes);
    // Written before the stop, so that no page fault falls into it.
    job.blocks.assign(way.expected.blocks + way.expected.blocks / 16 + 4096, {});
    return way;
}

/// The `tries`th try. False: it was no good moment.
model::Result<bool> HeapInstrument::tryScan(Image &image, ScanJob &job, int tries)
{
    auto way = chooseScanWay(image, job);
    if (!way)
        return way.error();
    // The books stand still from the stop until they are copied; those of other processes go on meanwhile.
    bool isSettled = false;
    Thawing thawing{[&] { thaw(image); }};
    CopyRequest request{image.arrival.pid, way->known, *job.filter,
        std::make_unique<WordBuffer>(way->entry != 0 ? 1 : wordsToExpect(way->expected)), tries > 1,
        [this] { return std::unique_lock(m_mutex); },
        [&] {
            isSettled = freeze(image);
            return isSettled || tries == kMostTries;
        },
        way->entry};
    const model::Timestamp begin{monotonicNs() - m_originNs};
    auto copy = copyProcess(request);
    hideHelpers(request, copy && copy->snapshot ? copy->snapshot->pid() : 0, begin);
    job.scan.interruptedCalls += request.interruptedCalls; // of each try
    job.scan.stopNs += request.stopNs;
    if (!request.noSnapshot.empty())
        job.noSnapshot = request.noSnapshot;
    if (!copy && copy.error().text().empty())
        return false;
    if (!copy)
        return copy.error();
    copyBlocks(image.channel.pairing().live(), job.blocks); // nobody else touches what is frozen
    thawing.now();
    job.unmapped = cutBlocks(MappedExtent(copy->mappings), job.blocks);
    const bool isCovered = way->isFilterMade ? coversAll(*job.filter, job.blocks) : fillFilter(job.blocks, *job.filter);
    if (!isCovered) {
        if (copy->snapshot)
            m_processes.hiddenEnded(copy->snapshot->pid(), {copy->snapshot->end() - m_originNs});
        if (way->isFilterMade)
            return false; // blocks came where there were none a moment ago
        return tooManyBytes(image.arrival.pid);
    }
    takeCopy(std::move(*copy), isSettled, job);
    return true;
}

/// The processes that came and went with a copy are none of the session's; `snapshot` lives on. Before anybody has read what the kernel tells
/// of them.
void HeapInstrument::hideHelpers(const CopyRequest &request, std::int32_t snapshot, model::Timestamp begin)
{
    for (const std::int32_t helper : request.helpers) {
        m_processes.hide(helper, begin);
        if (helper != snapshot)
            m_processes.hiddenEnded(helper, {monotonicNs() - m_originNs});
    }
}

void HeapInstrument::takeCopy(ProcessCopy copy, bool isSettled, ScanJob &job) const
{
    job.scan.proof = isSettled ? model::ScanProof::Complete : model::ScanProof::LowerBound;
    if (!isSettled)
        addSentence(job.scan.limits, "A thread was in the middle of a realloc");
    job.copy = std::move(copy);
    job.scan.when = {job.copy.stoppedAtNs - m_originNs};
    job.scan.threads = static_cast<std::int64_t>(job.copy.threads.size());
    job.scan.missedThreads = job.copy.missedThreads;
    job.scan.scannedBytes = job.copy.scannedBytes;
    job.scan.unreadableBytes = job.copy.unreadableBytes;
}

/// What is to be expected of a process before its stop; also makes `filter`, if there is one.
model::Result<void> HeapInstrument::expect(
    Image &image, const std::vector<MemoryMapping> &mappings, SegmentFilter *filter, ScanExtent &expected)
{
    const std::int32_t pid = image.arrival.pid;
    const MappedExtent extent(mappings);
    expected.residentBytes = residentBytesOf(pid);
    expected.availableBytes = availableBytes();
    const std::lock_guard lock(m_mutex);
    const model::LiveTable &live = image.channel.pairing().live();
    expected.blocks = live.size();
    if (!filter)
        return {};
    live.forEach([&](std::uint64_t pointer, const model::LiveBlock &block) {
        const std::uint64_t end = extent.endOf(pointer, pointer + std::max<std::uint64_t>(block.size, 1));
        expected.blockBytes += end - pointer;
        if (expected.blockBytes <= kAddressSpaceBytes)
            filter->add(pointer, end);
    });
    if (expected.blockBytes > kAddressSpaceBytes)
        return tooManyBytes(pid);
    addBreak(*filter, mappings);
    return {};
}

/// Brings the books to what the process, which stands still, has written, and keeps them so. Returns whether they are complete. Under the lock,
/// which was taken before the stop.
bool HeapInstrument::freeze(Image &image)
{
    m_clock.sync();
    m_drainedEvents += image.channel.drain(m_clock, false);
    image.isFrozen = true;
    return image.channel.isSettled();
}

void HeapInstrument::thaw(Image &image)
{
    const std::lock_guard lock(m_mutex);
    image.isFrozen = false;
}

/// Why blocks may be there that are not known, or known ones gone.
void HeapInstrument::describeProof(Image &image, ScanJob &job)
{
    model::MemoryScan &scan = job.scan;
    const auto limit = [&scan](const std::string &sentence) {
        scan.proof = model::ScanProof::LowerBound;
        addSentence(scan.limits, sentence);
    };
    {
        const std::lock_guard lock(m_mutex);
        const EventPairing &pairing = image.channel.pairing();
        if (pairing.samplePeriodBytes() != 0)
            limit("Blocks are sampled: the figures are those of the sampled blocks alone");
        else if (pairing.hasSampled())
            limit("Blocks were sampled for a part of the time: of those from then only the sampled ones are known");
    }
    if (image.arrival.origin == wire::Origin::Attach)
        limit("The tracer was attached while the program ran: blocks from before are not known");
    if (image.arrival.origin == wire::Origin::Fork)
        limit("The process was forked: blocks of its parent are not known");
    if (!allocatorNote(image.arrival.executable).empty())
        limit("The program has an allocator of its own, whose blocks are not known");
    if (scan.missedThreads > 0)
        limit(
            fmt::format("{} threads could not be stopped: what only they hold is taken for lost", scan.missedThreads));
    if (job.unmapped > 0)
        limit(fmt::format("{} blocks lie where the process has no memory: they are not judged", job.unmapped));
    if (image.lastLossUs >= 0) {
        job.firstBirthUs = image.lastLossUs;
        limit(fmt::format("Events were lost, last at {:.1f} s: older blocks are not judged",
            static_cast<double>(image.lastLossUs) / 1e6));
    }
    const InjectionReport met = m_attachment ? m_attachment->report(image.arrival.pid) : InjectionReport();
    const bool missesCalls = image.arrival.origin == wire::Origin::Attach && m_attachment
        && (m_attachment->scansGivenUp(image.arrival.pid) > 0 || met.answer.slotsFailed > 0
            || met.answer.slotsElsewhere > 0);
    if (missesCalls) {
        job.firstBirthUs = INT64_MAX;
        limit("Some of the program's calls are not seen, so no block is judged: it may have been freed");
    }
}

void HeapInstrument::nameNodes(Image &image, ScanJob &job)
{
    model::TableBuilder &tables = m_processes.tables();
    const model::ProgramTables &rows = tables.tables();
    for (const model::ScanBlock &block : job.blocks) {
        const auto node = static_cast<std::uint32_t>(block.node);
        if (node >= job.stackOfNode.size())
            job.stackOfNode.resize(node + 1);
        if (job.stackOfNode[node].isValid())
            continue;
        const model::StackId stack = image.resolver.stackOf(node, tables);
        job.stackOfNode[node] = stack;
        const model::FrameId frame = rows.stacks[stack.index()].frame;
        if (!frame.isValid() || frame.index() >= rows.frames.size())
            continue;
        const std::string_view path
            = rows.strings[rows.modules[rows.frames[frame.index()].module.index()].path.index()];
        if (!isLoaderName(path.substr(path.rfind('/') + 1)))
            continue;
        job.isLoaderNode.resize(std::max<std::size_t>(job.isLoaderNode.size(), node + 1), false);
        job.isLoaderNode[node] = true;
    }
}

} // namespace capture
