// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/scan/word_reader.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace capture {

namespace {

constexpr std::uint64_t kPageBytes = 4096;
constexpr std::uint64_t kPieceBytes = 1u << 20; ///< stays in the second-level cache
constexpr std::uint64_t kPagemapEntries = 1u << 14;
/// A page that is in memory or swapped out (pagemap, Documentation/admin-guide/mm/pagemap.rst): others hold zeroes, or what the
/// module's file says.
constexpr std::uint64_t kHasPage = std::uint64_t{3} << 62;
constexpr unsigned kSegmentBits = 21;
constexpr unsigned kAddressBits = 47;

} // namespace

PopulatedMemory::PopulatedMemory(std::size_t bytes)
    : m_bytes(bytes)
{
    void *data = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    m_data = data == MAP_FAILED ? nullptr : data;
}

PopulatedMemory::PopulatedMemory(PopulatedMemory &&other) noexcept
    : m_data(std::exchange(other.m_data, nullptr))
    , m_bytes(std::exchange(other.m_bytes, 0))
{
}

PopulatedMemory &PopulatedMemory::operator=(PopulatedMemory &&other) noexcept
{
    std::swap(m_data, other.m_data);
    std::swap(m_bytes, other.m_bytes);
    return *this;
}

PopulatedMemory::~PopulatedMemory()
{
    if (m_data)
        ::munmap(m_data, m_bytes);
}

SegmentFilter::SegmentFilter()
    : m_bits(std::size_t{1} << (kAddressBits - kSegmentBits - 6))
{
}

void SegmentFilter::add(std::uint64_t begin, std::uint64_t end)
{
    end = std::min(end, std::uint64_t{1} << kAddressBits);
    if (begin >= end)
        return;
    const std::uint64_t first = begin >> kSegmentBits, last = (end - 1) >> kSegmentBits;
    for (std::uint64_t word = first >> 6; word <= last >> 6; ++word) {
        const std::uint64_t from = word == first >> 6 ? first & 63 : 0, to = word == last >> 6 ? last & 63 : 63;
        m_bits[word] |= (~std::uint64_t{0} >> (63 - to)) & (~std::uint64_t{0} << from);
    }
    const std::uint64_t high = std::max(m_span == 0 ? 0 : m_low + m_span, end);
    m_low = std::min(m_low, begin);
    m_span = high - m_low;
}

bool SegmentFilter::covers(std::uint64_t begin, std::uint64_t end) const
{
    return begin >= m_low && end - m_low <= m_span && mayPoint(begin) && mayPoint(end - 1);
}

model::ScanWord *SegmentFilter::keep(
    const std::uint64_t *values, std::size_t count, std::uint64_t address, model::ScanWord *out) const
{
    // The program stands still for this loop. Most memory holds no pointers at all, and is passed over eight words at a time; where there are
    // some, whether the next word is one cannot be foretold, so it is written anyway, and counts if it is.
    constexpr std::size_t kGroup = 8;
    if (m_span == 0)
        return out; // there are no blocks
    const std::uint64_t low = m_low, span = m_span;
    const std::uint64_t *bits = m_bits.data();
    const std::uint64_t known = low >> 27;
    const auto take = [&](std::size_t i) {
        const std::uint64_t value = values[i];
        const bool isInside = value - low < span;
        const std::uint64_t bit = (bits[isInside ? value >> 27 : known] >> ((value >> 21) & 63)) & 1;
        *out = {address + i * sizeof(std::uint64_t), value};
        out += isInside ? bit : 0;
    };
    std::size_t i = 0;
    for (; i + kGroup <= count; i += kGroup) {
        unsigned inside = 0;
        for (std::size_t k = 0; k < kGroup; ++k)
            inside |= values[i + k] - low < span ? 1u : 0u;
        for (std::size_t k = 0; inside != 0 && k < kGroup; ++k)
            take(i + k);
    }
    for (; i < count; ++i)
        take(i);
    return out;
}

WordBuffer::WordBuffer(std::size_t words)
{
    for (std::size_t room = 0; room < words; room += kChunkWords)
        m_chunks.emplace_back(kChunkWords * sizeof(model::ScanWord));
}

bool WordBuffer::addPointers(std::span<const std::uint64_t> values, std::uint64_t address, const SegmentFilter &filter)
{
    while (!values.empty()) {
        if (m_at == m_end && !nextChunk())
            return false;
        const std::size_t count = std::min(values.size(), static_cast<std::size_t>(m_end - m_at));
        m_at = filter.keep(values.data(), count, address, m_at);
        values = values.subspan(count);
        address += count * sizeof(std::uint64_t);
    }
    return true;
}

bool WordBuffer::append(std::span<const model::ScanWord> words)
{
    while (!words.empty()) {
        if (m_at == m_end && !nextChunk())
            return false;
        const std::size_t count = std::min(words.size(), static_cast<std::size_t>(m_end - m_at));
        m_at = std::copy_n(words.data(), count, m_at);
        words = words.subspan(count);
    }
    return true;
}

bool WordBuffer::nextChunk()
{
    if (m_current == m_chunks.size())
        m_chunks.emplace_back(kChunkWords * sizeof(model::ScanWord));
    if (!m_chunks[m_current].data())
        return false;
    m_at = static_cast<model::ScanWord *>(m_chunks[m_current++].data());
    m_end = m_at + kChunkWords;
    return true;
}

std::span<const model::ScanWord> WordBuffer::chunk(std::size_t index) const
{
    const auto *begin = static_cast<const model::ScanWord *>(m_chunks[index].data());
    return {begin, index + 1 == m_current ? static_cast<std::size_t>(m_at - begin) : kChunkWords};
}

void WordBuffer::clear()
{
    m_current = 0;
    m_at = m_end = nullptr;
}

std::size_t WordBuffer::size() const
{
    return m_current == 0 ? 0 : (m_current - 1) * kChunkWords + chunk(m_current - 1).size();
}

WordReader::WordReader(std::int32_t pid, const SegmentFilter &filter, Way way)
    : m_pid(pid)
    , m_filter(filter)
    , m_pagemap(::open(fmt::format("/proc/{}/pagemap", pid).c_str(), O_RDONLY | O_CLOEXEC))
    , m_buffer(kPieceBytes)
    , m_pages(kPagemapEntries * sizeof(std::uint64_t))
{
    if (way == Way::File)
        m_file.reset(::open(fmt::format("/proc/{}/mem", pid).c_str(), O_RDONLY | O_CLOEXEC));
}

bool WordReader::read(std::uint64_t begin, std::uint64_t end, WordBuffer &words)
{
    const std::uint64_t step = kPagemapEntries * kPageBytes;
    for (std::uint64_t at = begin; at < end;) {
        const std::uint64_t next = std::min(end, (at & ~(kPageBytes - 1)) + step);
        if (!readPages(at, next, words))
            return false;
        at = next;
    }
    return true;
}

/// Reads the resident pages of at most kPagemapEntries ones.
bool WordReader::readPages(std::uint64_t begin, std::uint64_t end, WordBuffer &words)
{
    const std::uint64_t first = begin / kPageBytes;
    const std::uint64_t count = (end + kPageBytes - 1) / kPageBytes - first;
    auto *pages = static_cast<std::uint64_t *>(m_pages.data());
    const auto bytes = static_cast<std::size_t>(count * sizeof(std::uint64_t));
    const ssize_t got = m_pagemap.isOpen() && pages
        ? ::pread(m_pagemap.get(), pages, bytes, static_cast<off_t>(first * sizeof(std::uint64_t)))
        : -1;
    if (got != static_cast<ssize_t>(bytes))
        return readPiece(begin, end - begin, words); // cannot be told apart: all of it
    for (std::uint64_t i = 0; i < count;) {
        if ((pages[i] & kHasPage) == 0) {
            ++i;
            continue;
        }
        std::uint64_t last = i + 1;
        while (last < count && (pages[last] & kHasPage) != 0)
            ++last;
        const std::uint64_t from = std::max(begin, (first + i) * kPageBytes);
        const std::uint64_t to = std::min(end, (first + last) * kPageBytes);
        if (!readPiece(from, to - from, words))
            return false;
        i = last;
    }
    return true;
}

ssize_t WordReader::readBytes(std::uint64_t begin, std::size_t bytes) const
{
    if (m_file.isOpen())
        return ::pread(m_file.get(), m_buffer.data(), bytes, static_cast<off_t>(begin));
    const iovec local{m_buffer.data(), bytes};
    const iovec remote{reinterpret_cast<void *>(static_cast<std::uintptr_t>(begin)), bytes};
    return ::process_vm_readv(m_pid, &local, 1, &remote, 1, 0);
}

bool WordReader::readPiece(std::uint64_t begin, std::uint64_t bytes, WordBuffer &words)
{
    const auto *buffer = static_cast<const std::uint64_t *>(m_buffer.data());
    if (!buffer)
        return false;
    begin = (begin + 7) & ~std::uint64_t{7};
    const std::uint64_t end = begin + bytes;
    while (begin < end) {
        const auto wanted = static_cast<std::size_t>(std::min(end - begin, kPieceBytes));
        const ssize_t got = readBytes(begin, wanted);
        const std::size_t count = got > 0 ? static_cast<std::size_t>(got) / sizeof(std::uint64_t) : 0;
        if (!words.addPointers({buffer, count}, begin, m_filter))
            return false;
        m_scannedBytes += static_cast<std::int64_t>(count * sizeof(std::uint64_t));
        begin += count * sizeof(std::uint64_t);
        if (count * sizeof(std::uint64_t) + 7 < wanted) { // a page that cannot be read: the rest goes on behind it
            const std::uint64_t next = std::min(end, (begin | (kPageBytes - 1)) + 1);
            m_unreadableBytes += static_cast<std::int64_t>(next - begin);
            begin = next;
        } else if (count == 0) {
            break;
        }
    }
    return true;
}

} // namespace capture
