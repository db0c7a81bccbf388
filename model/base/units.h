// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <compare>
#include <cstdint>

namespace model {

/// A length of time in nanoseconds.
struct Duration
{
    std::int64_t ns = 0;

    static constexpr Duration fromMs(std::int64_t ms) { return {ms * 1'000'000}; }
    static constexpr Duration fromSeconds(double s) { return {static_cast<std::int64_t>(s * 1e9)}; }
    constexpr double seconds() const { return static_cast<double>(ns) * 1e-9; }
    friend constexpr auto operator<=>(Duration, Duration) = default;
    friend constexpr Duration operator+(Duration a, Duration b) { return {a.ns + b.ns}; }
    friend constexpr Duration operator-(Duration a, Duration b) { return {a.ns - b.ns}; }
};

/// A moment of a recording: nanoseconds of CLOCK_MONOTONIC since the recording began. The wall clock of
/// moment 0 stands in SessionInfo.
struct Timestamp
{
    std::int64_t ns = 0;

    constexpr double seconds() const { return static_cast<double>(ns) * 1e-9; }
    friend constexpr auto operator<=>(Timestamp, Timestamp) = default;
    friend constexpr Duration operator-(Timestamp a, Timestamp b) { return {a.ns - b.ns}; }
    friend constexpr Timestamp operator+(Timestamp a, Duration d) { return {a.ns + d.ns}; }
    friend constexpr Timestamp operator-(Timestamp a, Duration d) { return {a.ns - d.ns}; }
};

/// A number of bytes; signed, because differences are bytes too.
struct Bytes
{
    std::int64_t count = 0;

    friend constexpr auto operator<=>(Bytes, Bytes) = default;
    constexpr Bytes &operator+=(Bytes b)
    {
        count += b.count;
        return *this;
    }
    constexpr Bytes &operator-=(Bytes b)
    {
        count -= b.count;
        return *this;
    }
    friend constexpr Bytes operator+(Bytes a, Bytes b) { return {a.count + b.count}; }
    friend constexpr Bytes operator-(Bytes a, Bytes b) { return {a.count - b.count}; }
};

} // namespace model
