// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/session_forecast.h"

#include "model/aggregate/heap_modes.h"
#include "model/analysis/judged_forecast.h"
#include "model/report/session_words.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

namespace model {

namespace {

constexpr std::array kQuantities = std::to_array<SeriesSource>({Metric::Rss, Metric::CgroupMemory,
    HeapQuantity::LiveBytes, Metric::VirtualSize, Metric::Threads, Metric::OpenFiles, Metric::DiskUsed});
constexpr double kLeastRoom = 1.1;      ///< of a limit that is worth a word, as a multiple of what is used
constexpr double kNever = 0.01;         ///< a probability
constexpr std::size_t kRoundLimits = 3; ///< each twice the one before

/// Powers of two beyond what is used now.
std::vector<double> roundLimits(double used)
{
    std::vector<double> limits;
    double limit = std::exp2(std::ceil(std::log2(std::max(used * kLeastRoom, 1024.0 * 1024))));
    for (std::size_t i = 0; i < kRoundLimits; ++i, limit *= 2)
        limits.push_back(limit);
    return limits;
}

bool isMemory(const SeriesSource &source)
{
    return source == SeriesSource(Metric::Rss) || source == SeriesSource(Metric::CgroupMemory)
        || source == SeriesSource(HeapQuantity::LiveBytes);
}

std::string labelOf(const Snapshot &snapshot, const SeriesSource &source, const std::optional<ProcessId> &process)
{
    std::string label(seriesInfo(source).label);
    if (source == SeriesSource(Metric::DiskUsed) && !snapshot.info.disk.empty())
        label += " on " + snapshot.info.disk;
    if (process && snapshot.metrics.size() > 1)
        label += " of " + processText(snapshot, *process);
    return label;
}

/// Live bytes of all stacks of an item, at the ends of its buckets.
TimeSeries seriesOf(const LeakItem &item)
{
    std::map<Timestamp, double> sums;
    for (const LeakStack &stack : item.stacks) {
        if (!stack.ages)
            continue;
        Timestamp end = stack.followedFrom;
        for (const AgeBucket &bucket : stack.ages->buckets) {
            end = end + stack.ages->bucket;
            sums[end] += static_cast<double>(bucket.liveBytes);
        }
    }
    TimeSeries series{HeapQuantity::LiveBytes, {}};
    if (sums.empty())
        return series;
    series.segments.emplace_back();
    for (const auto &[when, bytes] : sums)
        series.segments.front().push_back({when, bytes});
    return series;
}

class SessionForecaster
{
public:
    SessionForecaster(const Snapshot &snapshot, const SessionForecastOptions &options, const std::stop_token &stop)
        : m_snapshot(snapshot)
        , m_options(options)
        , m_stop(stop)
        , m_perRequested(residentPerRequested(snapshot).value_or(1))
    {
    }

    std::optional<std::vector<ForecastedQuantity>> run(const LeakReport &leaks)
    {
        for (const SeriesSource &source : kQuantities)
            if (!addQuantity(source))
                return std::nullopt;
        std::size_t told = 0;
        for (const LeakItem &item : leaks.items)
            if (item.tier != LeakTier::Idle && told < m_options.mostLeaks && item.bytesPerHour > 0) {
                ++told;
                if (!addLeak(item))
                    return std::nullopt;
            }
        return std::move(m_all);
    }

private:
    std::optional<KnownLimit> limitOf(const SeriesSource &source) const
    {
        std::optional<KnownLimit> limit = m_options.memoryLimit && isMemory(source)
            ? KnownLimit{{*m_options.memoryLimit, "limit that you gave"}, std::nullopt}
            : knownLimit(m_snapshot, source);
        if (limit && source == SeriesSource(HeapQuantity::LiveBytes))
            return ofRequested(std::move(*limit));
        return limit;
    }

    /// How many bytes have to be requested until resident memory is at a limit of it; empty where most of them take no memory.
    std::optional<double> requestedRoom(const KnownLimit &limit) const
    {
        constexpr double kMost = 2; // more is growth of something else
        const std::optional<SeriesPoint> rss = timeSeries(m_snapshot, Metric::Rss).last();
        if (!rss || limit.limit.value <= rss->value || m_perRequested < kMostlyResident)
            return std::nullopt;
        return (limit.limit.value - rss->value) / std::clamp(m_perRequested, 1.0, kMost);
    }

    /// A limit of resident memory as one of the live heap.
    std::optional<KnownLimit> ofRequested(KnownLimit limit) const
    {
        if (m_perRequested < kMostlyResident)
            return std::nullopt;
        const std::optional<SeriesPoint> live = timeSeries(m_snapshot, HeapQuantity::LiveBytes).last();
        const std::optional<double> room = requestedRoom(limit);
        if (m_perRequested > 1 && live && room) {
            limit.limit.value = std::min(limit.limit.value, live->value + *room);
            limit.limit.name = "room in requested bytes below the " + limit.limit.name;
        }
        return limit;
    }

    bool addQuantity(const SeriesSource &source)
    {
        const std::optional<KnownLimit> limit = limitOf(source);
        const std::optional<ProcessId> process = limit ? limit->process : std::nullopt;
        const TimeSeries series = judgedSeries(m_snapshot, source, m_snapshot.span, process);
        const std::optional<SeriesPoint> last = series.last();
        if (!last && timeSeries(m_snapshot, source, process).isEmpty())
            return true;
        ForecastOptions options;
        if (limit)
            options.limit = limit->limit;
        options.label = labelOf(m_snapshot, source, process);
        if (last && source == SeriesSource(Metric::Rss)) {
            const std::optional<SeriesPoint> now
                = m_snapshot.selection.time ? series.nearest(m_snapshot.span.end) : last;
            options.otherLimits = roundLimits(now->value);
        }
        if (m_snapshot.selection.time)
            options.history = m_snapshot.span;
        return add({.key = std::string(seriesInfo(source).key),
                       .process = process,
                       .stack = {},
                       .image = {},
                       .where = {},
                       .forecast = {}},
            judgedForecast(m_snapshot, source, process, options, m_stop));
    }

    /// What a place alone will keep, against what the limit leaves beside everything else as it is now.
    bool addLeak(const LeakItem &item)
    {
        const TimeSeries series = seriesOf(item);
        const std::optional<KnownLimit> limit = limitOf(Metric::Rss);
        if (series.isEmpty())
            return true;
        ForecastOptions options;
        if (const auto room = limit ? requestedRoom(*limit) : std::nullopt)
            options.limit = ForecastLimit{
                static_cast<double>(item.liveBytes) + *room, "room in requested bytes below the " + limit->limit.name};
        options.label = fmt::format("What {} keeps", item.place);
        if (m_snapshot.selection.time)
            options.history = m_snapshot.span;
        return add({.key = "leak",
                       .process = {},
                       .stack = item.stacks.front().stack,
                       .image = item.image,
                       .where = item.where,
                       .forecast = {}},
            forecast(series, options, m_stop));
    }

    bool add(ForecastedQuantity quantity, std::optional<Forecast> result)
    {
        if (!result)
            return false;
        if (!result->isGrowing)
            result->otherLimits.clear(); // nothing would be used up
        // One that is sure to last says enough of all that are larger.
        const auto sure = std::find_if(result->otherLimits.begin(), result->otherLimits.end(),
            [](const OtherLimit &limit) { return limit.time.reachedWithinHorizon < kNever; });
        if (sure != result->otherLimits.end())
            result->otherLimits.erase(sure + 1, result->otherLimits.end());
        quantity.forecast = std::move(*result);
        m_all.push_back(std::move(quantity));
        return true;
    }

    const Snapshot &m_snapshot;
    const SessionForecastOptions &m_options;
    const std::stop_token &m_stop;
    const double m_perRequested; ///< resident bytes for each of the live heap
    std::vector<ForecastedQuantity> m_all;
};

} // namespace

std::optional<std::vector<ForecastedQuantity>> sessionForecasts(const Snapshot &snapshot, const LeakReport &leaks,
    const SessionForecastOptions &options, const std::stop_token &stop)
{
    return SessionForecaster(snapshot, options, stop).run(leaks);
}

} // namespace model
