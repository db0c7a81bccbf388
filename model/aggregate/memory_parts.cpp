// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/aggregate/memory_parts.h"

#include "model/aggregate/living_series.h"
#include "model/aggregate/process_images.h"

#include <algorithm>
#include <array>
#include <functional>
#include <iterator>
#include <limits>
#include <map>
#include <optional>

namespace model {

namespace {

double valueAt(const TimeSeries &series, Timestamp when)
{
    const auto point = series.nearest(when);
    return point ? point->value : 0;
}

/// A series with the moments of `model`, its values by `value(when, modelValue)`.
TimeSeries alike(const TimeSeries &pattern, const SeriesSource &source, const std::function<double(SeriesPoint)> &value)
{
    TimeSeries result{source, pattern.segments};
    for (std::vector<SeriesPoint> &segment : result.segments)
        for (SeriesPoint &point : segment)
            point.value = value(point);
    return result;
}

bool isZero(const MemoryPart &part)
{
    for (const auto &segment : part.series.segments)
        if (std::any_of(segment.begin(), segment.end(), [](const SeriesPoint &point) { return point.value > 0; }))
            return false;
    return true;
}

void addTo(MemoryPartsRow &sum, const MemoryPartsRow &row)
{
    sum.heap += row.heap;
    sum.mappings += row.mappings;
    sum.stacks += row.stacks;
    sum.files += row.files;
    sum.shared += row.shared;
    sum.tracer += row.tracer;
    sum.unknown += row.unknown;
}

std::int64_t sumOf(const MemoryPartsRow &row)
{
    return row.heap + row.mappings + row.stacks + row.files + row.shared + row.tracer + row.unknown;
}

/// What blocks the program held that a process ran at a moment: those of one that it ran before an exec are gone with it.
class RunningHeaps
{
public:
    explicit RunningHeaps(const Snapshot &snapshot)
        : m_snapshot(snapshot)
        , m_images(imagesByProcess(*snapshot.tables))
        , m_series(snapshot.tables->images.size(), nullptr)
    {
        for (const HeapSeries &series : snapshot.heapSeries)
            if (series.image.index() < m_series.size())
                m_series[series.image.index()] = &series;
    }

    /// By the program that it ran at `told`, as far as its heap is known by `when`.
    double liveBytes(ProcessId process, Timestamp told, Timestamp when) const
    {
        const std::optional<ImageId> image = imageAt(process, told);
        const HeapSeries *series = image ? m_series[image->index()] : nullptr;
        if (series == nullptr)
            return 0;
        const auto after = std::partition_point(
            series->spans.begin(), series->spans.end(), [when](const TimeRange &span) { return span.end <= when; });
        const auto known = static_cast<std::size_t>(after - series->spans.begin());
        return known > 0 ? static_cast<double>(series->ticks[known - 1].liveBytes) : 0;
    }

    /// Of one that ran at `told` what its parent did when it was forked: what that held then. Which of it has been freed since is not known.
    double inheritedBytes(ProcessId process, Timestamp told) const
    {
        constexpr int kMostForks = 64; // one after the other; times that contradict each other lead nowhere
        double bytes = 0;
        for (int fork = 0; fork < kMostForks; ++fork) {
            const Process &forked = m_snapshot.tables->processes.at(process.index());
            const std::optional<ImageId> image = imageAt(process, told);
            const bool isFork = image && forked.parent.isValid() && m_snapshot.tables->images[image->index()].epoch == 0
                && m_snapshot.tables->images[image->index()].heap == HeapState::Inherited;
            if (!isFork)
                break;
            told = forked.start;
            process = forked.parent;
            if (!isKnown(process, told)) // not selected: what its blocks do not explain is said to be theirs
                return std::numeric_limits<double>::max();
            bytes += liveBytes(process, told, endOfTick(process, told));
        }
        return bytes;
    }

private:
    bool isKnown(ProcessId process, Timestamp when) const
    {
        const std::optional<ImageId> image = imageAt(process, when);
        return image && m_series[image->index()] != nullptr;
    }

    /// Of the tick in which a moment lies, as far as the process's heap is known.
    Timestamp endOfTick(ProcessId process, Timestamp when) const
    {
        const std::optional<ImageId> image = imageAt(process, when);
        const HeapSeries *series = image ? m_series[image->index()] : nullptr;
        if (series == nullptr)
            return when;
        const auto tick = std::partition_point(
            series->spans.begin(), series->spans.end(), [when](const TimeRange &span) { return span.end <= when; });
        return tick == series->spans.end() ? when : tick->end;
    }

    std::optional<ImageId> imageAt(ProcessId process, Timestamp when) const
    {
        const std::vector<ImageId> &images = m_images.at(process.index());
        const auto next = std::partition_point(images.begin(), images.end(),
            [&](ImageId image) { return m_snapshot.tables->images[image.index()].start <= when; });
        return next != images.begin() ? std::optional(*std::prev(next)) : std::nullopt;
    }

    const Snapshot &m_snapshot;
    std::vector<std::vector<ImageId>> m_images;
    std::vector<const HeapSeries *> m_series; ///< by image; null: its heap is not known
};

/// The sums over the processes that live, at moments that ascend; each counts with what was said of it last.
class LivingParts
{
public:
    struct Sum
    {
        MemoryPartsRow parts;
        double liveBytes = 0;      ///< of the same processes
        double inheritedBytes = 0; ///< of their heaps, beside that
        double newHeapBytes
            = 0; ///< of what is unknown since pages were read last: live blocks, as far as it can hold them
        double carriedBytes = 0; ///< of parts that were not measured then
        Timestamp until;         ///< the last moment at which all of these processes lived
    };

    explicit LivingParts(const Snapshot &snapshot)
        : m_snapshot(snapshot)
        , m_living(snapshot, spans(snapshot))
        , m_heaps(snapshot)
    {
    }

    Sum at(Timestamp when)
    {
        m_said.clear();
        for (const std::size_t i : m_living.at(when))
            if (m_living.counts(i, m_snapshot.memoryParts[i].times[rowAt(i, when)]))
                m_said.push_back({i, static_cast<double>(sumOf(m_snapshot.memoryParts[i].values[rowAt(i, when)]))});
        m_living.keepTogether(m_said);
        Sum sum{.until = when};
        for (const LivingSeries::Said &one : m_said) {
            const MemoryPartsSeries &series = m_snapshot.memoryParts[one.series];
            sum.until = std::min(sum.until, m_snapshot.tables->processes[series.process.index()].end.value_or(when));
            const std::size_t row = rowAt(one.series, when);
            addTo(sum.parts, series.values[row]);
            const bool isMeasured = series.values[row].isMeasured && series.times[row] == when;
            sum.carriedBytes += isMeasured ? 0 : one.value;
            const double live = m_heaps.liveBytes(series.process, series.times[row], when);
            const double rest = static_cast<double>(series.values[row].heap) - live;
            sum.liveBytes += live;
            sum.newHeapBytes += std::clamp(-rest, 0.0, newUnknown(one.series, row));
            sum.inheritedBytes
                += std::clamp(m_heaps.inheritedBytes(series.process, series.times[row]), 0.0, std::max(rest, 0.0));
        }
        return sum;
    }

private:
    /// How much more is unknown in a row than when pages were read before it. Rows of a series ascend from call to call.
    double newUnknown(std::size_t index, std::size_t row)
    {
        const MemoryPartsSeries &series = m_snapshot.memoryParts[index];
        m_measured.resize(m_snapshot.memoryParts.size());
        Measured &measured = m_measured[index];
        for (; measured.seen <= row; ++measured.seen)
            if (series.values[measured.seen].isMeasured)
                measured.row = measured.seen;
        if (!measured.row || series.values[row].isMeasured)
            return 0;
        return static_cast<double>(
            std::max<std::int64_t>(series.values[row].unknown - series.values[*measured.row].unknown, 0));
    }

    /// The newest row of a series that has one by then.
    std::size_t rowAt(std::size_t series, Timestamp when) const
    {
        const std::vector<Timestamp> &times = m_snapshot.memoryParts[series].times;
        return static_cast<std::size_t>(std::upper_bound(times.begin(), times.end(), when) - times.begin()) - 1;
    }

    static std::vector<LivingSeries::Span> spans(const Snapshot &snapshot)
    {
        constexpr Timestamp kNever{std::numeric_limits<std::int64_t>::max()};
        std::vector<LivingSeries::Span> spans;
        std::vector<ProcessId> processes;
        for (const MemoryPartsSeries &series : snapshot.memoryParts) {
            processes.push_back(series.process);
            const Process &process = snapshot.tables->processes.at(series.process.index());
            const std::optional<Timestamp> &end = process.end;
            if (series.times.empty())
                spans.push_back({kNever, {}, {}, {}, {}});
            else
                spans.push_back({series.times.front(), end ? std::max(*end, series.times.back()) : kNever, end,
                    process.start, end});
        }
        setForks(spans, processes, *snapshot.tables);
        return spans;
    }

    struct Measured
    {
        std::size_t seen = 0;           ///< rows before it were looked at
        std::optional<std::size_t> row; ///< the last of them of which pages were read
    };

    const Snapshot &m_snapshot;
    std::vector<Measured> m_measured; ///< by series
    LivingSeries m_living;
    RunningHeaps m_heaps;
    std::vector<LivingSeries::Said> m_said;
};

/// What is known beside the parts.
struct Beside
{
    TimeSeries untouched{HeapQuantity::LiveBytes, {}}; ///< what of the live heap cannot be resident
    std::vector<Timestamp> measured;                   ///< ascending
    std::map<Timestamp, Timestamp>
        until; ///< where that is earlier: the last moment at which what counts lived together
};

/// From what was read page by page.
std::vector<MemoryPart> measuredParts(const Snapshot &snapshot, Beside *beside)
{
    const TimeSeries resident = timeSeries(snapshot, Metric::Rss);
    const auto number = [](std::int64_t value) { return static_cast<double>(value); };
    // What the parts are at each point, found once.
    std::vector<MemoryPartsRow> rows;
    std::vector<double> liveBytes, inheritedBytes, unknownBytes, untouchedBytes,
        hiddenBytes; // hidden: live blocks in memory of which nobody told that it is a heap's
    // Who mapped what before an attach is not known.
    const std::vector<Image> &images = snapshot.tables->images;
    const bool isAttached = std::any_of(
        images.begin(), images.end(), [](const Image &image) { return image.heap == HeapState::Attached; });
    LivingParts living(snapshot);
    for (const auto &segment : resident.segments)
        for (const SeriesPoint &point : segment) {
            const LivingParts::Sum sum = living.at(point.when);
            rows.push_back(sum.parts);
            constexpr double kFewCarried = 0.05;
            if (beside && sum.carriedBytes <= kFewCarried * number(sumOf(sum.parts)))
                beside->measured.push_back(point.when);
            if (beside && sum.until < point.when)
                beside->until.emplace(point.when, sum.until);
            const double heap = number(rows.back().heap), all = sum.liveBytes;
            // Also of processes that nothing could be read of.
            const double unknown = std::max(0.0, point.value - number(sumOf(rows.back()) - rows.back().unknown));
            hiddenBytes.push_back(
                isAttached ? std::clamp(all - heap, 0.0, unknown) : std::min(sum.newHeapBytes, unknown));
            unknownBytes.push_back(unknown - hiddenBytes.back());
            liveBytes.push_back(std::clamp(all, 0.0, heap + hiddenBytes.back()));
            inheritedBytes.push_back(
                std::min(sum.inheritedBytes, std::max(heap + hiddenBytes.back() - liveBytes.back(), 0.0)));
            untouchedBytes.push_back(std::max(0.0, all - liveBytes.back()));
        }
    const auto series = [&](const SeriesSource &source, auto value) {
        std::size_t i = 0;
        return alike(resident, source, [&](SeriesPoint point) { return value(i++, point); });
    };
    if (beside)
        beside->untouched
            = series(HeapQuantity::LiveBytes, [&](std::size_t i, SeriesPoint) { return untouchedBytes[i]; });
    const auto part = [&](std::int64_t MemoryPartsRow::*field) {
        return series(Metric::Rss, [&](std::size_t i, SeriesPoint) { return number(rows[i].*field); });
    };
    return {
        {kLiveHeapPart, "live heap",
            series(HeapQuantity::LiveBytes, [&](std::size_t i, SeriesPoint) { return liveBytes[i]; })},
        {kInheritedPart, "inherited at fork",
            series(Metric::Rss, [&](std::size_t i, SeriesPoint) { return inheritedBytes[i]; })},
        {kAllocatorPart, "allocator",
            series(Metric::Rss,
                [&](std::size_t i, SeriesPoint) {
                    return number(rows[i].heap) + hiddenBytes[i] - liveBytes[i] - inheritedBytes[i];
                })},
        {kMappingsPart, "mappings", part(&MemoryPartsRow::mappings)},
        {"stack_bytes", "thread stacks", part(&MemoryPartsRow::stacks)},
        {kSharedPart, "shared", part(&MemoryPartsRow::shared)},
        {"file_bytes", "files", part(&MemoryPartsRow::files)},
        {kTracerPart, "tracer", part(&MemoryPartsRow::tracer)},
        {kUnknownPart, "unknown", series(Metric::Rss, [&](std::size_t i, SeriesPoint) { return unknownBytes[i]; })},
    };
}

/// From the kernel's counters alone.
std::vector<MemoryPart> countedParts(const Snapshot &snapshot)
{
    const TimeSeries anonymous = timeSeries(snapshot, Metric::Anonymous);
    const TimeSeries shared = timeSeries(snapshot, Metric::Shared);
    const TimeSeries files = timeSeries(snapshot, Metric::FileBacked);
    const TimeSeries live = timeSeries(snapshot, HeapQuantity::LiveBytes);
    const auto heapAt
        = [&](SeriesPoint point) { return std::clamp(valueAt(live, point.when), 0.0, std::max(point.value, 0.0)); };
    return {
        {kLiveHeapPart, "live heap", alike(anonymous, HeapQuantity::LiveBytes, heapAt)},
        {"other_anonymous_bytes", "other anonymous",
            alike(anonymous, Metric::Anonymous, [&](SeriesPoint point) { return point.value - heapAt(point); })},
        {kSharedPart, "shared",
            alike(anonymous, Metric::Shared, [&](SeriesPoint point) { return valueAt(shared, point.when); })},
        {"file_bytes", "files",
            alike(anonymous, Metric::FileBacked, [&](SeriesPoint point) { return valueAt(files, point.when); })},
    };
}

std::vector<MemoryPart> partsOf(const Snapshot &snapshot, Beside *beside)
{
    std::vector<MemoryPart> parts
        = snapshot.memoryParts.empty() ? countedParts(snapshot) : measuredParts(snapshot, beside);
    parts.erase(std::remove_if(parts.begin(), parts.end(), isZero), parts.end());
    return parts;
}

/// The parts at single moments.
class MemoryMoments
{
public:
    explicit MemoryMoments(const Snapshot &snapshot)
        : m_snapshot(snapshot)
        , m_parts(partsOf(snapshot, &m_beside))
    {
    }

    MemoryNow at(Timestamp when, bool isMeasured) const
    {
        MemoryNow now{.when = when, .isMeasured = isMeasured};
        for (const MemoryPart &part : m_parts)
            now.parts.push_back({part.key, part.label, valueAt(part.series, when)});
        now.untouchedBytes = valueAt(m_beside.untouched, when);
        return now;
    }

    MemoryNow until(Timestamp when) const
    {
        // The last moments of processes that ended have no memory any more, or none of which anything could be read: the last one that has any.
        Timestamp last = lastOf(when, true);
        if (last == Timestamp{})
            last = lastOf(when, false);
        const auto after = std::upper_bound(m_beside.measured.begin(), m_beside.measured.end(), last);
        const bool isMeasured = after != m_beside.measured.begin() && m_snapshot.span.begin < *std::prev(after);
        return at(isMeasured ? *std::prev(after) : last, isMeasured);
    }

    /// The last moment at which the processes lived whose memory is told at a tick's end.
    Timestamp livedUntil(Timestamp when) const
    {
        const auto known = m_beside.until.find(when);
        return known != m_beside.until.end() ? known->second : when;
    }

    std::optional<Timestamp> measuredFrom(Timestamp when) const
    {
        const auto first = std::lower_bound(m_beside.measured.begin(), m_beside.measured.end(), when);
        return first != m_beside.measured.end() && *first <= m_snapshot.span.end ? std::optional(*first) : std::nullopt;
    }

    /// The last moment of the selection at which it was nearly at its highest, and what was most.
    std::optional<SeriesPoint> highest(bool isMeasured) const
    {
        std::map<Timestamp, double> sums;
        for (const MemoryPart &part : m_parts)
            for (const std::vector<SeriesPoint> &segment : part.series.segments)
                for (const SeriesPoint &point : segment)
                    if (m_snapshot.span.begin < point.when && point.when <= m_snapshot.span.end)
                        sums[point.when] += point.value;
        if (isMeasured)
            std::erase_if(sums, [this](const auto &sum) {
                return !std::binary_search(m_beside.measured.begin(), m_beside.measured.end(), sum.first);
            });
        double most = 0;
        for (const auto &[when, sum] : sums)
            most = std::max(most, sum);
        constexpr double kNearly = 0.95; // of what stays as it is the newest is told
        const auto last = std::find_if(
            sums.rbegin(), sums.rend(), [most](const auto &sum) { return sum.second >= kNearly * most; });
        return most > 0 ? std::optional(SeriesPoint{last->first, most}) : std::nullopt;
    }

private:
    Timestamp lastOf(Timestamp when, bool isKnown) const
    {
        Timestamp last;
        for (const MemoryPart &part : m_parts)
            for (const auto &segment : part.series.segments)
                for (const SeriesPoint &point : segment)
                    if (point.when <= when && point.value > 0 && (!isKnown || part.key != kUnknownPart))
                        last = std::max(last, point.when);
        return last;
    }

    const Snapshot &m_snapshot;
    Beside m_beside;
    std::vector<MemoryPart> m_parts;
};

} // namespace

std::vector<MemoryPart> memoryParts(const Snapshot &snapshot) { return partsOf(snapshot, nullptr); }

MemoryNow memoryAt(const Snapshot &snapshot, Timestamp when) { return MemoryMoments(snapshot).until(when); }

MemoryChange memoryBetween(const Snapshot &snapshot, TimeRange range)
{
    const MemoryMoments moments(snapshot);
    const std::optional<Timestamp> first = moments.measuredFrom(range.begin);
    return {first ? moments.at(*first, true) : moments.until(range.begin), moments.until(range.end)};
}

MemoryNow memoryAtItsHeight(const Snapshot &snapshot)
{
    const MemoryMoments moments(snapshot);
    const std::optional<SeriesPoint> all = moments.highest(false), measured = moments.highest(true);
    constexpr double kTellsOfIt = 0.95; // less than that was not its height
    const bool isMeasured = measured && all && measured->value >= kTellsOfIt * all->value;
    if (!all)
        return moments.until(snapshot.span.end);
    const Timestamp when = isMeasured ? measured->when : all->when;
    MemoryNow now = moments.at(when, isMeasured);
    now.when = moments.livedUntil(when);
    return now;
}

} // namespace model
