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
constexpr std::chrono::microseconds kBlindSleep{2000};

struct Waiter
{
    std::uint64_t value;
    std::uint64_t address;
    std::uint32_t flags;
    std::uint32_t reserved;
};
static_assert(sizeof(Waiter) == 24); // struct futex_waitv of linux/futex.h

timespec after(std::chrono::microseconds time)
{
    timespec limit{};
    ::clock_gettime(CLOCK_MONOTONIC, &limit);
    limit.tv_nsec += std::chrono::nanoseconds(time).count();
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

void DoorbellWait::sleep(std::chrono::microseconds time)
{
    if (m_words.size() <= kMostWords) {
        std::vector<Waiter> waiters;
        for (const Word &word : m_words)
            waiters.push_back({word.seen, reinterpret_cast<std::uint64_t>(word.word), kFutex32, 0});
        const timespec limit = after(time);
        const long result
            = ::syscall(kFutexWaitv, waiters.data(), static_cast<unsigned>(waiters.size()), 0, &limit, CLOCK_MONOTONIC);
        if (result >= 0 || errno == EAGAIN || errno == ETIMEDOUT || errno == EINTR)
            return;
    }
    ::usleep(static_cast<useconds_t>(std::min(time, kBlindSleep).count()));
}

void wakeSleeper(std::atomic<std::uint32_t> &control)
{
    control.fetch_add(1, std::memory_order_seq_cst);
    ::syscall(SYS_futex, &control, FUTEX_WAKE, INT_MAX, nullptr, nullptr, 0);
}

} // namespace capture
