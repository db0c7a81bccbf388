// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/heap/recorder_clock.h"

#include <time.h>
#include <x86intrin.h>

#include <fstream>
#include <string>
#include <utility>

namespace capture {

namespace {

/// Before there is a first rate.
constexpr std::int64_t kFirstSpanNs = 2'000'000;

std::int64_t monotonicNs()
{
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return std::int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

wire::Clock bestClock()
{
    std::ifstream file("/sys/devices/system/clocksource/clocksource0/current_clocksource");
    std::string source;
    file >> source;
    // Where it runs under a hypervisor with a stable counter the kernel calls it kvm-clock, and it is the same counter;
    // but only "tsc" says that the kernel found it equal on all cores.
    return source == "tsc" ? wire::Clock::Tsc : wire::Clock::Monotonic;
}

} // namespace

RecorderClock::RecorderClock(std::int64_t originNs)
    : m_kind(bestClock())
    , m_originNs(originNs)
{
    const ClockReading first = read();
    m_rate.add(first);
    while (monotonicNs() - m_originNs - first.ns < kFirstSpanNs) { }
    sync();
}

RecorderClock::RecorderClock(std::uint64_t &units, std::function<void()> beforeLook)
    : m_virtual(&units)
    , m_beforeLook(std::move(beforeLook))
    , m_kind(wire::Clock::Tsc)
    , m_originNs(0)
    , m_nsPerUnit(25)
    , m_usPerUnit(0.025)
{
}

std::uint64_t RecorderClock::units() const
{
    if (m_virtual) {
        if (m_beforeLook)
            m_beforeLook();
        return (*m_virtual)++;
    }
    const auto raw = m_kind == wire::Clock::Tsc ? __rdtsc() : static_cast<std::uint64_t>(monotonicNs());
    _mm_lfence();
    return raw >> wire::kClockShift;
}

ClockReading RecorderClock::read() const
{
    // Of a few tries the one with the least time between the two clocks.
    ClockReading best{};
    std::int64_t least = INT64_MAX;
    for (int i = 0; i < 3; ++i) {
        const std::int64_t before = monotonicNs();
        const std::uint64_t now = units();
        const std::int64_t after = monotonicNs();
        if (after - before >= least)
            continue;
        least = after - before;
        best = {now, before + least / 2 - m_originNs};
    }
    return best;
}

void RecorderClock::sync()
{
    if (m_virtual)
        return;
    const ClockReading now = read();
    m_rate.add(now);
    m_nsPerUnit = m_rate.nsPerUnit();
    m_lastUnits = now.units;
    m_lastNs = now.ns;
    m_lastUs = now.ns / 1000;
    m_usPerUnit = m_nsPerUnit / 1000;
}

} // namespace capture
