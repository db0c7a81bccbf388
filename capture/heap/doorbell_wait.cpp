// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/heap/doorbell_wait.h"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>

namespace capture {

namespace {

constexpr long kFutexWaitv = 449; // SYS_futex_waitv, which older headers lack
constexpr std::uint32_t kFutex32 = 2;
constexpr std::size_t kMostWords = 128;
constexpr unsigned kBlindSleepMs = 2;

struct Waiter
{
    std::uint64_t value;
    std::uint64_t address;
    std::uint32_t flags;
    std::uint32_t reserved;
};
static_assert(sizeof(Waiter) == 24); // struct futex_waitv of linux/futex.h

timespec inMilliseconds(unsigned milliseconds)
{
    timespec limit{};
    ::clock_gettime(CLOCK_MONOTONIC, &limit);
    limit.tv_nsec += static_cast<long>(milliseconds) * 1'000'000;
    limit.tv_sec += limit.tv_nsec / 1'000'000'000;
    limit.tv_nsec %= 1'000'000'000;
    return limit;
}

} // namespace

DoorbellWait::DoorbellWait(std::atomic<std::uint32_t> &control)
    : m_words{{&control, control.load(std::memory_order_acquire)}}
{
}

DoorbellWait::~DoorbellWait()
{
    for (wire::Header *header : m_headers)
        header->recorderSleeps.store(0, std::memory_order_relaxed);
}

void DoorbellWait::add(wire::Header &header)
{
    m_words.push_back({&header.doorbell, header.doorbell.load(std::memory_order_acquire)});
    header.recorderSleeps.store(1, std::memory_order_seq_cst);
    m_headers.push_back(&header);
}

void DoorbellWait::sleep(unsigned milliseconds)
{
    if (m_words.size() <= kMostWords) {
        std::vector<Waiter> waiters;
        for (const Word &word : m_words)
            waiters.push_back({word.seen, reinterpret_cast<std::uint64_t>(word.word), kFutex32, 0});
        const timespec limit = inMilliseconds(milliseconds);
        const long result
            = ::syscall(kFutexWaitv, waiters.data(), static_cast<unsigned>(waiters.size()), 0, &limit, CLOCK_MONOTONIC);
        if (result >= 0 || errno == EAGAIN || errno == ETIMEDOUT || errno == EINTR)
            return;
    }
    ::usleep(std::min(milliseconds, kBlindSleepMs) * 1000);
}

void wakeSleeper(std::atomic<std::uint32_t> &control)
{
    control.fetch_add(1, std::memory_order_seq_cst);
    ::syscall(SYS_futex, &control, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
}

} // namespace capture
