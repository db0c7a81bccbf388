// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/scan/process_copy.h"

#include "capture/monotonic_clock.h"
#include "capture/proc/memory_maps.h"
#include "capture/proc/proc_reader.h"
#include "capture/scan/snapshot_call.h"
#include "capture/scan/snapshot_check.h"

#include <fmt/format.h>
#include <pthread.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <thread>
#include <utility>

namespace capture {

namespace {

constexpr std::chrono::milliseconds kStopLimit{1000};
constexpr std::chrono::milliseconds kForkLimit{10'000};
constexpr std::uint32_t kLeastLifeMs = 20'000;     ///< of a snapshot
constexpr std::uint64_t kLifeBytesPerMs = 200'000; ///< 5 s more for each GB
constexpr std::size_t kMostSmapsBytes = 256u << 20;

std::vector<KnownMemory::Range> rangesOf(const std::vector<ScanRegion> &regions)
{
    std::vector<KnownMemory::Range> ranges;
    for (const ScanRegion &region : regions)
        ranges.push_back({region.begin, region.end});
    return ranges;
}

std::uint32_t lifeOf(const std::vector<ScanRegion> &regions)
{
    std::uint64_t bytes = 0;
    for (const ScanRegion &region : regions)
        bytes += region.end - region.begin;
    constexpr std::uint64_t kMostMs = 600'000;
    return kLeastLifeMs + static_cast<std::uint32_t>(std::min(bytes / kLifeBytesPerMs, kMostMs));
}

/// Has the process, which stands still, copy itself. The error is the rest of a sentence.
model::Result<ProcessSnapshot> snapshotOf(
    CopyRequest &request, StoppedProcess &stopped, const ProcessCopy &copy, std::int64_t beginNs)
{
    if (stopped.isJobStopped())
        return model::Error("it is stopped by a signal anyway");
    if (stopped.missedThreads() > 0)
        return model::Error("a thread waits for a device");
    const auto tid = threadForSnapshot(stopped, copy.mappings);
    if (!tid)
        return model::Error("none of its threads is where it could do that");
    wire::SnapshotCommand command;
    command.recorder = ::getpid();
    command.limitMs = lifeOf(copy.regions);
    const auto called = callSnapshot(stopped, *tid, request.snapshotEntry, command, kForkLimit);
    for (const std::int32_t pid : {command.helper, command.snapshot})
        if (pid > 0)
            request.helpers.push_back(pid);
    if (!called)
        return called.error();
    if (command.stage != wire::SnapshotStage::Done)
        return model::Error("another recorder copies it");
    return ProcessSnapshot::take(request.pid, command, beginNs);
}

/// What the snapshot has not got is read now.
bool readEarly(ProcessCopy &copy, WordReader &reader, WordBuffer &room)
{
    for (const KnownMemory::Range &range : notInSnapshot(rangesOf(copy.regions), readMaps(copy.snapshot->pid()))) {
        room.clear();
        if (!reader.read(range.begin, range.end, room))
            return false;
        ProcessCopy::EarlyPart &part = copy.early.emplace_back();
        part.range = range;
        for (std::size_t i = 0; i < room.chunkCount(); ++i)
            part.words.insert(part.words.end(), room.chunk(i).begin(), room.chunk(i).end());
    }
    copy.scannedBytes = reader.scannedBytes();
    copy.unreadableBytes = reader.unreadableBytes();
    return true;
}

model::Result<ProcessCopy> copyStopped(CopyRequest &request)
{
    WordReader reader(request.pid, request.filter);
    ProcessCopy copy;
    std::unique_lock<std::mutex> held = request.hold();
    const std::int64_t begin = monotonicNs();
    auto stopped = StoppedProcess::stop(request.pid, kStopLimit);
    if (!stopped)
        return stopped.error();
    copy.stoppedAtNs = monotonicNs();
    request.interruptedCalls = stopped->interruptedCalls();
    const bool isGoodMoment = request.onStopped();
    held.unlock();
    const auto runOn = [&] {
        stopped->resume();
        request.stopNs = monotonicNs() - begin;
    };
    if (!isGoodMoment || (stopped->missedThreads() > 0 && !request.mayMissThreads)) {
        runOn();
        return model::Error(std::string());
    }
    copy.pid = request.pid;
    copy.mappings = readMaps(request.pid);
    copy.regions = scanRegions(copy.mappings, stopped->threads(), request.known);
    bool isWhole = true;
    if (request.snapshotEntry != 0) {
        auto snapshot = snapshotOf(request, *stopped, copy, begin);
        if (!snapshot) {
            runOn();
            request.noSnapshot = snapshot.error().text();
            return model::Error(std::string());
        }
        copy.snapshot.emplace(std::move(*snapshot));
        isWhole = readEarly(copy, reader, *request.words);
        runOn();
    } else {
        for (const ScanRegion &region : copy.regions)
            isWhole = isWhole && reader.read(region.begin, region.end, *request.words);
        runOn();
        copy.scannedBytes = reader.scannedBytes();
        copy.unreadableBytes = reader.unreadableBytes();
        copy.words = std::move(request.words);
    }
    if (copy.regions.empty())
        return model::Error(fmt::format("The mappings of process {} cannot be read", request.pid));
    if (!isWhole)
        return model::Error(fmt::format("There is not enough memory to look through process {}", request.pid));
    copy.threads = stopped->threads();
    copy.missedThreads = stopped->missedThreads();
    return copy;
}

/// A part of memory that is not read from the snapshot.
struct OtherPart
{
    KnownMemory::Range range;
    const ProcessCopy::EarlyPart
        *early; ///< null: the kernel has emptied it in the snapshot, and it is read where it is now
};

std::vector<OtherPart> otherParts(const ProcessCopy &copy)
{
    std::vector<OtherPart> parts;
    for (const ProcessCopy::EarlyPart &early : copy.early)
        parts.push_back({early.range, &early});
    // Only now: it would have made the process stand still for longer than everything else.
    const auto smaps = readProcFile(fmt::format("/proc/{}/smaps", copy.snapshot->pid()), kMostSmapsBytes);
    if (smaps)
        for (const KnownMemory::Range &range : wipedRanges(*smaps))
            parts.push_back({range, nullptr});
    std::sort(parts.begin(), parts.end(),
        [](const OtherPart &a, const OtherPart &b) { return a.range.begin < b.range.begin; });
    return parts;
}

/// Reads what a snapshot has, with an eye on who wants it to stop.
class SnapshotReader
{
public:
    SnapshotReader(const ProcessCopy &copy, const SegmentFilter &filter, const std::stop_token &stop)
        : m_others(otherParts(copy))
        , m_snapshot(copy.snapshot->pid(), filter, WordReader::Way::File)
        , m_live(copy.pid, filter)
        , m_stop(stop)
    {
    }

    /// Each part of a region from where it is.
    bool read(const ScanRegion &region, WordBuffer &words)
    {
        std::uint64_t at = region.begin;
        for (const OtherPart &other : m_others) {
            const std::uint64_t begin = std::max(other.range.begin, at), end = std::min(other.range.end, region.end);
            if (begin >= end)
                continue;
            if (!readPieces(at, begin, words)
                || !(other.early ? words.append(other.early->words) : m_live.read(begin, end, words)))
                return false;
            at = end;
        }
        return readPieces(at, region.end, words);
    }
    std::int64_t scannedBytes() const { return m_snapshot.scannedBytes() + m_live.scannedBytes(); }
    std::int64_t unreadableBytes() const { return m_snapshot.unreadableBytes() + m_live.unreadableBytes(); }

private:
    bool readPieces(std::uint64_t begin, std::uint64_t end, WordBuffer &words)
    {
        constexpr std::uint64_t kPieceBytes = 256u << 20;
        for (; begin < end; begin += std::min(end - begin, kPieceBytes))
            if (m_stop.stop_requested() || !m_snapshot.read(begin, std::min(end, begin + kPieceBytes), words))
                return false;
        return true;
    }

    std::vector<OtherPart> m_others;
    WordReader m_snapshot, m_live;
    const std::stop_token &m_stop;
};

} // namespace

model::Result<ProcessCopy> copyProcess(CopyRequest &request)
{
    std::optional<model::Result<ProcessCopy>> result;
    std::thread tracer([&] {
        ::pthread_setname_np(::pthread_self(), "heap-scan-stop");
        result.emplace(copyStopped(request));
    });
    tracer.join();
    return std::move(*result);
}

model::Result<SnapshotReading> readSnapshot(ProcessCopy &copy, const SegmentFilter &filter, const std::stop_token &stop)
{
    SnapshotReader reader(copy, filter, stop);
    auto words = std::make_unique<WordBuffer>(0);
    const bool isWhole = std::all_of(copy.regions.begin(), copy.regions.end(),
        [&](const ScanRegion &region) { return reader.read(region, *words); });
    const bool isGone = copy.snapshot->isGone(); // asked last: what was read before was there
    SnapshotReading reading{0, copy.snapshot->copiedBytes()};
    reading.livedNs = copy.snapshot->end() - copy.snapshot->beginNs();
    copy.early.clear();
    if (isGone)
        return model::Error("its copy was ended before it was read");
    if (!isWhole)
        return model::Error(fmt::format("there was not enough memory to look through process {}", copy.pid));
    copy.scannedBytes += reader.scannedBytes();
    copy.unreadableBytes += reader.unreadableBytes();
    copy.words = std::move(words);
    return reading;
}

} // namespace capture
