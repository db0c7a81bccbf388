// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/base/units.h"
#include "model/metrics.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace model {

/// What a number counts; decides how it is written and how an axis is divided.
enum class Unit : std::uint8_t {
    Bytes,
    BytesPerSecond,
    BytesPerHour,
    Percent, ///< 100 is the whole, or one core fully busy
    Count,
    PerSecond,
    Nanoseconds,
};

/// The unit of a metric's values once they went through metricValue().
Unit unitOf(MetricUnit unit);
/// A stored metric value in its Unit: thousandths of a percent become percent, the others stay as they are.
double metricValue(std::int64_t stored, MetricUnit unit);

// All of these are locale-free: a point for decimals, a comma between groups of three digits, a space before the unit, a true minus sign, UTF-8.

/// "0 B", "812 B", "1.5 MiB", "−3 KiB": three significant digits at most, trailing zeros cut.
std::string formatBytes(double bytes);
/// "1,234,567".
std::string formatCount(std::int64_t count);
/// "812", "4.2 k", "1.9 M": three significant digits at most; for places without room for the whole number.
std::string formatShortCount(double count);
/// "12.4 %" for a share of 0.124; one decimal from 1 %, two below, "<0.01 %" for less than that, "0 %" for nothing.
std::string formatShare(double share);
/// The share of `part` in `whole`; "–" where the whole is 0.
std::string formatShareOf(std::int64_t part, std::int64_t whole);
/// "850 ns", "12 ms", "29.3 s", "7 min 33 s", "41 min", "36 h 20 min", "2 d 12 h": from a minute on in two units, never as decimals of one.
std::string formatDuration(Duration duration);
/// Offset from the start of a recording: "0:07", "12:41", "1:32:07", with milliseconds where `withFraction`: "0:07.250".
std::string formatOffset(Timestamp when, bool withFraction = false);
/// Clock of the recording host: "12:07:10". `startWallNs` and `utcOffset` as in SessionInfo.
std::string formatClock(Timestamp when, std::int64_t startWallNs, std::string_view utcOffset);
/// "Nov 19": the day of a moment on the recording host.
std::string formatDay(Timestamp when, std::int64_t startWallNs, std::string_view utcOffset);
/// The clock of a moment within a recording that is `whole` long; with its day where that is a day or more.
std::string formatMoment(Timestamp when, Duration whole, std::int64_t startWallNs, std::string_view utcOffset);
/// Date and clock of the recording host as ISO 8601: "2026-11-23T12:07:10+02:00".
std::string formatDateTime(Timestamp when, std::int64_t startWallNs, std::string_view utcOffset);
/// "+02:00" as seconds; 0 for anything else.
std::int64_t utcOffsetSeconds(std::string_view utcOffset);
/// A value with its unit: "1.5 MiB", "4.1 MiB/h", "61 %", "118 k/s", "1,204".
std::string formatValue(double value, Unit unit);
/// What stands in a table's header when all its values have this unit: "bytes", "/s", "%"; empty for counts.
std::string_view unitSuffix(Unit unit);

} // namespace model
