// SPDX-License-Identifier: GPL-3.0-or-later
// HeapInstrument's part in a scan for lost memory: the books of a process as of the moment in which it stood still.
#include "capture/heap/heap_instrument.h"
#include "capture/target/remote_process.h"

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
/// Of the words of blocks that are kept at most without growing while the process stands: as measured, 0.7 to 4.7 %.
constexpr std::size_t kLikelyShare = 20;
constexpr std::size_t kLikelyLinks = 2; ///< pointers to a block
constexpr std::size_t kLeastWords = std::size_t{1} << 17;

void addSentence(std::string &text, const std::string &sentence) { text += (text.empty() ? "" : ". ") + sentence; }

/// What malloc may hand out next is near what it has handed out.
void addBreak(SegmentFilter &filter, std::int32_t pid)
{
    for (const MemoryMapping &mapping : readMaps(pid))
        if (mapping.path == "[heap]")
            filter.add(mapping.begin, mapping.end);
}

/// Copies the books; whether `filter` knows of all blocks.
bool copyBlocks(const model::LiveHeap &live, const SegmentFilter &filter, std::vector<model::ScanBlock> &blocks)
{
    std::size_t count = 0;
    bool isCovered = true;
    live.forEach([&](std::uint64_t pointer, const model::LiveBlock &block) {
        model::ScanBlock one;
        one.address = pointer;
        one.size = block.size & 0xff'ffff'ffffu;
        one.node = block.node & 0xff'ffffu;
        one.birthUs = block.birthUs;
        isCovered = isCovered && filter.covers(pointer, one.end());
        if (count < blocks.size())
            blocks[count] = one;
        else
            blocks.push_back(one);
        ++count;
    });
    blocks.resize(count);
    return isCovered;
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
        const auto done = scanImage(*image, {0, INT64_MAX});
        if (done)
            ++start.begun;
        else
            addSentence(start.error, done.error().text());
        const std::lock_guard lock(m_mutex);
        image->channel.memory().answer(question, wire::ScopeVerdict::Met, {}); // it may end now
    }
    return start;
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

/// The `tries`th try. False: it was no good moment.
model::Result<bool> HeapInstrument::tryScan(Image &image, ScanJob &job, int tries)
{
    SegmentFilter filter;
    std::size_t blocks = 0;
    std::uint64_t bytes = 0;
    const KnownMemory known = knownMemory(image.arrival.pid);
    {
        const std::lock_guard lock(m_mutex);
        image.channel.pairing().live().forEach([&](std::uint64_t pointer, const model::LiveBlock &block) {
            filter.add(pointer, pointer + std::max<std::uint64_t>(block.size, 1));
            bytes += block.size;
            ++blocks;
        });
    }
    addBreak(filter, image.arrival.pid);
    // Written before the stop, so that no page fault falls into it.
    job.blocks.assign(blocks + blocks / 16 + 4096, {});
    const std::size_t words
        = std::max(static_cast<std::size_t>(bytes) / sizeof(std::uint64_t) / kLikelyShare, blocks * kLikelyLinks);
    // The books stand still from the stop until they are copied.
    const std::lock_guard lock(m_mutex);
    bool isSettled = false;
    CopyRequest request{
        image.arrival.pid, known, filter, std::make_unique<WordBuffer>(std::max(words, kLeastWords)), tries > 1, [&] {
            m_clock.sync();
            m_drainedEvents += image.channel.drain(m_clock, false);
            isSettled = image.channel.isSettled();
            return isSettled || tries == kMostTries;
        }};
    auto copy = copyProcess(request);
    job.scan.interruptedCalls += request.interruptedCalls; // of each try
    job.scan.stopNs += request.stopNs;
    if (!copy) {
        if (copy.error().text().empty())
            return false;
        return copy.error();
    }
    if (!copyBlocks(image.channel.pairing().live(), filter, job.blocks))
        return false; // blocks came where there were none a moment ago
    job.scan.proof = isSettled ? model::ScanProof::Complete : model::ScanProof::LowerBound;
    if (!isSettled)
        addSentence(job.scan.limits, "A thread was in the middle of a realloc");
    job.copy = std::move(*copy);
    job.scan.when = {job.copy.stoppedAtNs - m_originNs};
    job.scan.threads = static_cast<std::int64_t>(job.copy.threads.size());
    job.scan.missedThreads = job.copy.missedThreads;
    job.scan.scannedBytes = job.copy.scannedBytes;
    job.scan.unreadableBytes = job.copy.unreadableBytes;
    return true;
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
    if (scan.unreadableBytes > 0)
        limit(fmt::format("{} bytes could not be read: what only they hold is taken for lost", scan.unreadableBytes));
    if (image.lastLossUs >= 0) {
        job.firstBirthUs = image.lastLossUs;
        limit(fmt::format("Events were lost, last at {:.1f} s: older blocks are not judged",
            static_cast<double>(image.lastLossUs) / 1e6));
    }
    const bool missesCalls = image.arrival.origin == wire::Origin::Attach && m_attachment
        && (m_attachment->scansGivenUp() > 0 || m_attachment->report().answer.slotsFailed > 0
            || m_attachment->report().answer.slotsElsewhere > 0);
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
