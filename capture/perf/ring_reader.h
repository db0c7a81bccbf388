// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/perf/perf_record.h"
#include "capture/perf/perf_ring.h"

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

namespace capture {

/// Reads the rings of all CPUs for the capture thread. While that is busy with something else, as with the first tick of a large program or a slow
/// disk, for longer than the rings have room for, a thread of its own reads them and keeps the records.
class RingReader
{
public:
    /// The thread keeps about `mostKeptBytes` of records, and leaves the rings alone when it has those.
    explicit RingReader(std::size_t mostKeptBytes)
        : m_mostKeptBytes(mostKeptBytes)
    {
    }

    /// Begins to look after `rings`, once in each `interval`. They stay where they are until this is gone.
    void start(std::vector<PerfRing> &rings, std::chrono::milliseconds interval);
    bool isStarted() const { return m_rings != nullptr; }

    struct Outcome
    {
        bool hasMore = false;       ///< `mostBytesPerRing` were read of one, and more is there
        std::uint64_t records = 0;  ///< those that are of no use, too
        std::uint64_t badBytes = 0; ///< of what was no record
    };
    /// Calls `take` with what was kept, in the order in which it was read, then with up to about `mostBytesPerRing` of each ring. Capture thread.
    Outcome read(std::size_t mostBytesPerRing, const std::function<void(PerfRecord)> &take);

private:
    struct Taken
    {
        std::vector<PerfRecord> records;
        std::size_t bytes = 0; ///< of the rings
        Outcome outcome;
    };

    static void readRing(PerfRing &ring, std::size_t mostBytes, Outcome &outcome, std::size_t &bytes,
        const std::function<void(PerfRecord)> &take);
    void keepGoing(const std::stop_token &stop, std::chrono::milliseconds interval);
    void keepWhatIsFull();

    std::size_t m_mostKeptBytes;
    std::vector<PerfRing> *m_rings = nullptr;
    std::mutex m_mutex; ///< guards the rings and m_kept
    std::condition_variable_any m_wake;
    Taken m_kept;
    std::jthread m_thread; ///< last: ends before what it uses
};

} // namespace capture
