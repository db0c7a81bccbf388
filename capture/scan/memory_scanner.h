// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/file_descriptor.h"
#include "capture/scan/process_copy.h"
#include "capture/scan/scan_parameters.h"
#include "model/memory_scan.h"
#include "model/reach/reach_summary.h"

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace capture {

/// Everything that a scan has taken of a process. What it says of nodes is in the session's terms already, as the image may be gone
/// before the analysis is done.
struct ScanJob
{
    model::MemoryScan scan; ///< what is known so far
    ScanParameters parameters;
    ProcessCopy copy;
    std::unique_ptr<SegmentFilter> filter; ///< where its blocks lie; for a snapshot, which is still to be read
    std::string noSnapshot;                ///< why there is none, as the rest of a sentence
    std::vector<model::ScanBlock> blocks;
    std::size_t unmapped = 0;                ///< blocks that are left out, as they lie where the process has no memory
    std::vector<model::StackId> stackOfNode; ///< by ScanBlock::node
    std::vector<bool> isLoaderNode; ///< by node: allocated by the dynamic loader, whose own memory is not known
    std::int64_t firstBirthUs = 0;  ///< as in model::ReachParameters
};

/// Finds out what the pointers of a stopped process say, while it runs on: a thread of its own ("heap-scan"), a job at a time. Called
/// from the capture thread.
class MemoryScanner
{
public:
    MemoryScanner();
    /// Gives up what is under way.
    ~MemoryScanner();

    void submit(ScanJob job);
    /// Readable when there are results.
    int descriptor() const { return m_event.get(); }
    /// Scans that are done since the last call.
    std::vector<model::MemoryScan> takeResults();
    bool hasResults() const;
    /// Whether any are under way, or waiting to be taken.
    bool isBusy() const;
    /// Waits until none is under way, at most so long; whether it is so.
    bool waitUntilIdle(std::chrono::milliseconds limit);
    /// Waits until all snapshots have been read, at most so long; whether they are.
    bool waitUntilRead(std::chrono::milliseconds limit);

    /// A scan that came to nothing, as its snapshot ended before its time.
    struct Unread
    {
        model::ImageId image;
        ScanParameters parameters;
        std::string reason; ///< the rest of a sentence
    };
    bool hasUnread() const;
    std::vector<Unread> takeUnread();
    /// A process that was a snapshot, and is no more.
    struct EndedCopy
    {
        std::int32_t pid;
        std::int64_t endNs; ///< CLOCK_MONOTONIC
    };
    std::vector<EndedCopy> takeEndedCopies();

private:
    /// What an earlier scan of an image found.
    struct Earlier
    {
        std::uint32_t id = 0;
        std::int64_t whenNs = 0;
        std::vector<model::LostBlock> lost;
    };

    void run(const std::stop_token &stop);
    bool read(ScanJob &job, const std::stop_token &stop);
    model::MemoryScan analyze(ScanJob &job, const std::stop_token &stop);
    const Earlier *earlierOf(const ScanJob &job);
    void remember(const ScanJob &job, std::vector<model::LostBlock> lost);

    FileDescriptor m_event;
    std::map<model::ImageId, std::deque<Earlier>> m_earlier; ///< of the scanner's thread
    mutable std::mutex m_mutex;                              ///< guards what follows
    std::condition_variable_any m_changed;
    std::deque<ScanJob> m_jobs;
    bool m_isWorking = false;
    bool m_isReading = false;
    std::vector<model::MemoryScan> m_results;
    std::vector<Unread> m_unread;
    std::vector<EndedCopy> m_endedCopies;
    std::jthread m_thread;
};

} // namespace capture
