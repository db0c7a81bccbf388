// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/base/format_units.h"
#include "model/snapshot.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace model {

/// A quantity of the traced heap over time.
enum class HeapQuantity : std::uint8_t {
    LiveBytes,
    LiveBlocks,
    AllocationRate,
    AllocatedRate,
    FreeRate,
    TemporaryRate
};
inline constexpr std::size_t kHeapQuantityCount = 6;

/// A quantity of the CPU over time: Used is what /proc says (user + system), Sampled what the samples add up to.
enum class CpuQuantity : std::uint8_t { Used, Sampled };
inline constexpr std::size_t kCpuQuantityCount = 2;

/// What a line in a chart shows.
using SeriesSource = std::variant<Metric, HeapQuantity, CpuQuantity>;

/// How a source is named. `key` is snake_case with unit suffix, as in CSV.
struct SeriesInfo
{
    std::string_view key;
    std::string_view label;
    Unit unit;
};
SeriesInfo seriesInfo(const SeriesSource &source);
/// Every source there is, in the order a list shows them.
std::vector<SeriesSource> seriesSources();
/// The source with this key; empty if there is none.
std::optional<SeriesSource> seriesSourceOf(std::string_view key);

struct SeriesPoint
{
    Timestamp when;
    double value = 0; ///< in the series' unit
};

/// A line with gaps: each segment is drawn by itself. Points ascend in time, also from segment to segment.
struct TimeSeries
{
    SeriesSource source;
    std::vector<std::vector<SeriesPoint>> segments; ///< none of them empty

    bool isEmpty() const { return segments.empty(); }
    std::size_t pointCount() const;
    std::optional<SeriesPoint> last() const;
    /// The point nearest to `when`; empty for a series without points.
    std::optional<SeriesPoint> nearest(Timestamp when) const;
    /// Least and greatest value among the points in `range`; empty if there is none.
    struct Extent
    {
        double least = 0;
        double greatest = 0;
    };
    std::optional<Extent> extent(TimeRange range) const;
};

/// The series of one process, or of all processes of the snapshot's selection together: levels and rates are added up, what belongs
/// to the machine or control group (limit, pressure, availability) is not. A process whose value is missing at a tick
/// counts with its last one while it lives. Pauses, stops of the target and ticks that are missing break the line.
/// Rates are per second of the true length of a tick. Where a tick ended early (at a scan, a pause, the program's end) it may be too short for a
/// rate to mean anything: when shorter than half of a usual one, it and the next are one point, their mean over both, at the end; so are the
/// last tick before a gap or the end and the one before it. Who looks at times before that end does without both.
/// Of a heap that could not be traced there is no line: it is not known, not 0. Whole recording. Pure.
TimeSeries timeSeries(
    const Snapshot &snapshot, const SeriesSource &source, std::optional<ProcessId> process = std::nullopt);

/// A line as it is drawn: the first point of a recording stands for all of the tick that ends with it, so that one of two ticks is no dot at
/// the right edge; and a level that could not be read at the last tick of one that has ended, as its process had, lasts until then: else it
/// would end earlier than lines beside it. Not for figures.
TimeSeries overWholeTicks(TimeSeries series, const Snapshot &snapshot);
/// The end of that: until when the last value is drawn. Empty: no longer than it was read.
std::optional<Timestamp> drawnUntil(const TimeSeries &series, const Snapshot &snapshot);

/// At most two points for each of `columns` equal parts of `range` (the least and the greatest in it, in their order) and one
/// before and after the range, so that a line reaches the edges. Exact: no value is averaged.
TimeSeries downsampled(const TimeSeries &series, TimeRange range, std::size_t columns);

} // namespace model
