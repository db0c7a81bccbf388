// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/base/result.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

struct perf_event_mmap_page;

namespace capture {

/// The kernel's ring of one CPU, mapped: the kernel writes records, one thread at a time takes them out.
/// What a full ring could not hold the kernel counts in a lost record.
class PerfRing
{
public:
    /// Maps the ring of the event `fd`, `dataBytes` (a power of two of pages). `error` gets errno on failure: EPERM
    /// means more than kernel.perf_event_mlock_kb grants.
    static PerfRing map(int fd, std::size_t dataBytes, int &error);
    /// A ring over memory of the caller's, laid out as the kernel's: for tests.
    static PerfRing over(perf_event_mmap_page *page, std::uint8_t *data, std::size_t dataBytes);

    PerfRing() = default;
    PerfRing(PerfRing &&other) noexcept;
    PerfRing &operator=(PerfRing &&other) noexcept;
    ~PerfRing();

    bool isMapped() const { return m_page != nullptr; }
    std::size_t dataBytes() const { return m_dataBytes; }
    /// Of records that nobody has read yet.
    std::uint64_t usedBytes() const;

    /// What a read did.
    struct Outcome
    {
        bool hasMore = false;       ///< `mostBytes` were read, and more is there
        std::uint64_t badBytes = 0; ///< skipped because they were no records
    };
    /// Calls `take` with each whole record, header first, in the order of the ring, up to about `mostBytes`. The bytes
    /// are valid during the call. Their room is given back to the kernel when all are taken.
    Outcome read(std::size_t mostBytes, const std::function<void(std::span<const std::uint8_t>)> &take);

private:
    perf_event_mmap_page *m_page = nullptr;
    std::uint8_t *m_data = nullptr;
    std::size_t m_dataBytes = 0;
    std::size_t m_mappedBytes = 0;       ///< 0: not ours to unmap
    std::vector<std::uint8_t> m_wrapped; ///< a record that goes round the end, in one piece
};

} // namespace capture
