// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/perf/perf_ring.h"

#include <linux/perf_event.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace capture {

PerfRing PerfRing::map(int fd, std::size_t dataBytes, int &error)
{
    PerfRing ring;
    const auto pageBytes = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    void *mapped = mmap(nullptr, pageBytes + dataBytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    error = mapped == MAP_FAILED ? errno : 0;
    if (error != 0)
        return ring;
    ring.m_page = static_cast<perf_event_mmap_page *>(mapped);
    ring.m_data = static_cast<std::uint8_t *>(mapped) + pageBytes;
    ring.m_dataBytes = dataBytes;
    ring.m_mappedBytes = pageBytes + dataBytes;
    return ring;
}

PerfRing PerfRing::over(perf_event_mmap_page *page, std::uint8_t *data, std::size_t dataBytes)
{
    PerfRing ring;
    ring.m_page = page;
    ring.m_data = data;
    ring.m_dataBytes = dataBytes;
    return ring;
}

PerfRing::PerfRing(PerfRing &&other) noexcept { *this = std::move(other); }

PerfRing &PerfRing::operator=(PerfRing &&other) noexcept
{
    std::swap(m_page, other.m_page);
    std::swap(m_data, other.m_data);
    std::swap(m_dataBytes, other.m_dataBytes);
    std::swap(m_mappedBytes, other.m_mappedBytes);
    return *this;
}

PerfRing::~PerfRing()
{
    if (m_mappedBytes != 0)
        munmap(m_page, m_mappedBytes);
}

std::uint64_t PerfRing::usedBytes() const
{
    return __atomic_load_n(&m_page->data_head, __ATOMIC_ACQUIRE) - m_page->data_tail;
}

PerfRing::Outcome PerfRing::read(std::size_t mostBytes, const std::function<void(std::span<const std::uint8_t>)> &take)
{
    Outcome outcome;
    // perf_event_open(2): data_head is read before the data, data_tail written after it.
    const std::uint64_t head = __atomic_load_n(&m_page->data_head, __ATOMIC_ACQUIRE);
    const std::uint64_t start = m_page->data_tail;
    std::uint64_t tail = start;
    const std::uint64_t mask = m_dataBytes - 1;
    while (tail != head) {
        if (tail - start >= mostBytes) {
            outcome.hasMore = true;
            break;
        }
        perf_event_header header; // records are 8-aligned, so a header never goes round the end
        std::memcpy(&header, m_data + (tail & mask), sizeof(header));
        if (head - tail > m_dataBytes || header.size < sizeof(header) || header.size % 8 != 0
            || header.size > head - tail) {
            outcome.badBytes += head - tail;
            tail = head;
            break;
        }
        const std::uint64_t begin = tail & mask;
        if (begin + header.size <= m_dataBytes) {
            take({m_data + begin, header.size});
        } else {
            const auto first = static_cast<std::size_t>(m_dataBytes - begin);
            m_wrapped.resize(header.size);
            std::memcpy(m_wrapped.data(), m_data + begin, first);
            std::memcpy(m_wrapped.data() + first, m_data, header.size - first);
            take(m_wrapped);
        }
        tail += header.size;
    }
    __atomic_store_n(&m_page->data_tail, tail, __ATOMIC_RELEASE);
    return outcome;
}

} // namespace capture
