// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/base/units.h"

namespace model {

/// A half-open span of a recording: begin ≤ t < end.
struct TimeRange
{
    Timestamp begin;
    Timestamp end;

    constexpr Duration length() const { return end - begin; }
    constexpr bool isEmpty() const { return end <= begin; }
    constexpr bool contains(Timestamp t) const { return begin <= t && t < end; }
    constexpr bool intersects(TimeRange other) const { return begin < other.end && other.begin < end; }
    friend constexpr bool operator==(TimeRange, TimeRange) = default;
};

} // namespace model
