// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/perf/ring_reader.h"

#include <pthread.h>

#include <utility>

namespace capture {

void RingReader::start(std::vector<PerfRing> &rings, std::chrono::milliseconds interval)
{
    m_rings = &rings;
    m_thread = std::jthread([this, interval](const std::stop_token &stop) {
        ::pthread_setname_np(::pthread_self(), "cpu-rings");
        keepGoing(stop, interval);
    });
}

void RingReader::readRing(PerfRing &ring, std::size_t mostBytes, Outcome &outcome, std::size_t &bytes,
    const std::function<void(PerfRecord)> &take)
{
    if (!ring.isMapped())
        return;
    const PerfRing::Outcome read = ring.read(mostBytes, [&](std::span<const std::uint8_t> record) {
        PerfRecord decoded;
        ++outcome.records;
        bytes += record.size();
        switch (decodePerfRecord(record, decoded)) {
        case DecodeResult::Decoded:
            return take(std::move(decoded));
        case DecodeResult::Bad:
            outcome.badBytes += record.size();
            return;
        case DecodeResult::Ignored:
            return;
        }
    });
    outcome.hasMore |= read.hasMore;
    outcome.badBytes += read.badBytes;
}

RingReader::Outcome RingReader::read(std::size_t mostBytesPerRing, const std::function<void(PerfRecord)> &take)
{
    const std::lock_guard lock(m_mutex);
    Taken kept = std::exchange(m_kept, {});
    for (PerfRecord &record : kept.records)
        take(std::move(record));
    Outcome outcome = kept.outcome;
    for (PerfRing &ring : *m_rings)
        readRing(ring, mostBytesPerRing, outcome, kept.bytes, take);
    return outcome;
}

void RingReader::keepGoing(const std::stop_token &stop, std::chrono::milliseconds interval)
{
    std::mutex sleep;
    std::unique_lock lock(sleep);
    while (!m_wake.wait_for(lock, stop, interval, [&stop] { return stop.stop_requested(); }))
        keepWhatIsFull();
}

/// The capture thread usually reads a ring long before it is half full.
void RingReader::keepWhatIsFull()
{
    const std::lock_guard lock(m_mutex);
    for (PerfRing &ring : *m_rings)
        if (ring.isMapped() && ring.usedBytes() > ring.dataBytes() / 2 && m_kept.bytes < m_mostKeptBytes)
            readRing(ring, ring.dataBytes(), m_kept.outcome, m_kept.bytes,
                [this](PerfRecord record) { m_kept.records.push_back(std::move(record)); });
    m_kept.outcome.hasMore = false;
}

} // namespace capture
