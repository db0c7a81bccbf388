// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/file_descriptor.h"
#include "model/reach/pointer_graph.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace capture {

/// Anonymous memory with its pages in place, so that writing it while a process stands still costs no page faults.
class PopulatedMemory
{
public:
    PopulatedMemory() = default;
    explicit PopulatedMemory(std::size_t bytes);
    PopulatedMemory(PopulatedMemory &&other) noexcept;
    PopulatedMemory &operator=(PopulatedMemory &&other) noexcept;
    ~PopulatedMemory();

    /// Null if there was no memory to be had.
    void *data() const { return m_data; }
    std::size_t size() const { return m_bytes; }

private:
    void *m_data = nullptr;
    std::size_t m_bytes = 0;
};

/// Which 2 MiB pieces of the address space hold a block: most values are told from pointers by that alone.
class SegmentFilter
{
public:
    SegmentFilter();

    void add(std::uint64_t begin, std::uint64_t end);
    bool mayPoint(std::uint64_t value) const
    {
        return value - m_low < m_span && ((m_bits[value >> 27] >> ((value >> 21) & 63)) & 1) != 0;
    }
    /// Copies those of `count` values that may point, with their addresses, to `out`, which has room for all of them. `address`: of the first.
    /// Returns the end of what was copied.
    model::ScanWord *keep(
        const std::uint64_t *values, std::size_t count, std::uint64_t address, model::ScanWord *out) const;
    /// Whether all of a block's pieces have been added.
    bool covers(std::uint64_t begin, std::uint64_t end) const;

private:
    std::vector<std::uint64_t> m_bits;
    std::uint64_t m_low = UINT64_MAX;
    std::uint64_t m_span = 0;
};

/// Words that were kept, in chunks, in the order in which they were added.
class WordBuffer
{
public:
    /// Room for `words` at once; it grows beyond, but slowly.
    explicit WordBuffer(std::size_t words);

    /// Adds those of `values` that may be pointers; `address`: of the first. False if there is no memory left for them.
    bool addPointers(std::span<const std::uint64_t> values, std::uint64_t address, const SegmentFilter &filter);
    /// Adds words that were kept elsewhere.
    bool append(std::span<const model::ScanWord> words);
    std::size_t chunkCount() const { return m_current; }
    std::span<const model::ScanWord> chunk(std::size_t index) const;
    /// Forgets the words and keeps the memory.
    void clear();
    std::size_t size() const;

private:
    static constexpr std::size_t kChunkWords = std::size_t{1} << 20;

    bool nextChunk();

    std::vector<PopulatedMemory> m_chunks;
    std::size_t m_current = 0; ///< chunks in use
    model::ScanWord *m_at = nullptr;
    model::ScanWord *m_end = nullptr;
};

/// Reads memory of another process piece by piece through one small buffer, resident pages only, and keeps what may be a pointer.
class WordReader
{
public:
    /// How memory is read. process_vm_readv(2) is the faster one, but where pages are shared after a fork it has the kernel copy each of them
    /// first (it pins them: FAULT_FLAG_UNSHARE, since Linux 5.19), which /proc/PID/mem does not.
    enum class Way : std::uint8_t { Call, File };

    WordReader(std::int32_t pid, const SegmentFilter &filter, Way way = Way::Call);

    /// Reads [begin, end). False if a word could not be kept for want of memory.
    bool read(std::uint64_t begin, std::uint64_t end, WordBuffer &words);

    std::int64_t scannedBytes() const { return m_scannedBytes; }
    std::int64_t unreadableBytes() const { return m_unreadableBytes; }

private:
    bool readPages(std::uint64_t begin, std::uint64_t end, WordBuffer &words);
    bool readPiece(std::uint64_t begin, std::uint64_t bytes, WordBuffer &words);
    ssize_t readBytes(std::uint64_t begin, std::size_t bytes) const;

    std::int32_t m_pid;
    const SegmentFilter &m_filter;
    FileDescriptor m_pagemap;
    FileDescriptor m_file; ///< /proc/PID/mem, where it is read from there
    PopulatedMemory m_buffer;
    PopulatedMemory m_pages;
    std::int64_t m_scannedBytes = 0;
    std::int64_t m_unreadableBytes = 0;
};

} // namespace capture
