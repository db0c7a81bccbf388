// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/aggregate/resident_peak.h"

#include "model/aggregate/living_series.h"
#include "model/aggregate/time_series.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

namespace model {

namespace {

/// Of one process what the kernel says was most within a tick, of those that lived with it then what they had at its end.
class PeaksWithinTicks
{
public:
    explicit PeaksWithinTicks(const Snapshot &snapshot)
        : m_snapshot(snapshot)
    {
        const std::vector<Process> &processes = snapshot.tables->processes;
        std::vector<ProcessId> shown;
        for (const MetricSeries &series : snapshot.metrics) {
            const bool isSelected = !snapshot.selection.process || series.process == *snapshot.selection.process;
            if (series.times.empty() || !isSelected)
                continue;
            m_series.push_back(&series);
            shown.push_back(series.process);
            LivingSeries::Span &span = m_spans.emplace_back();
            span.first = series.times.front();
            span.last = series.times.back();
            if (series.process.index() < processes.size()) {
                const Process &known = processes[series.process.index()];
                span.began = known.start;
                span.ended = span.gone = known.end;
            }
        }
        setForks(m_spans, shown, *snapshot.tables);
    }

    /// The greatest sum with such a peak, where it is above `most`; else `most`.
    std::optional<double> most(std::optional<double> most) const
    {
        LivingSeries living(m_snapshot, m_spans);
        for (const Timestamp when : momentsWithPeaks()) {
            std::vector<LivingSeries::Said> levels, peaks;
            for (const std::size_t i : living.at(when)) {
                if (const auto level = levelAt(i, when); level && living.counts(i, level->when))
                    levels.push_back({i, level->value});
                if (const auto peak = peakAt(i, when))
                    peaks.push_back({i, *peak});
            }
            for (const LivingSeries::Said &peak : peaks) {
                std::vector<LivingSeries::Said> together{peak};
                for (const LivingSeries::Said &level : levels)
                    if (level.series != peak.series && livedTogether(m_spans[level.series], m_spans[peak.series]))
                        together.push_back(level);
                if (most && sumOf(together) <= *most)
                    continue;
                LivingSeries::keepTogether(together, m_spans, when);
                most = std::max(most.value_or(0), sumOf(together));
            }
        }
        return most;
    }

private:
    static double sumOf(const std::vector<LivingSeries::Said> &said)
    {
        return std::accumulate(
            said.begin(), said.end(), 0.0, [](double sum, const LivingSeries::Said &one) { return sum + one.value; });
    }

    static bool livedTogether(const LivingSeries::Span &a, const LivingSeries::Span &b)
    {
        return (!a.gone || b.began <= *a.gone) && (!b.gone || a.began <= *b.gone);
    }

    /// What a process had more within the tick of a row than at its end. Of a fork that is gone the peak is its parent's.
    std::optional<double> peakOf(std::size_t series, std::size_t row) const
    {
        const MetricValues &values = m_series[series]->values[row];
        const std::optional<std::int64_t> peak = values.get(Metric::RssPeak);
        const Timestamp when = m_series[series]->times[row];
        const LivingSeries::Span &span = m_spans[series];
        if (!peak || *peak <= values.get(Metric::Rss).value_or(0) || when <= m_snapshot.span.begin
            || m_snapshot.span.end < when || (span.forkedFrom && span.gone && *span.gone < when))
            return std::nullopt;
        return static_cast<double>(*peak);
    }

    std::vector<Timestamp> momentsWithPeaks() const
    {
        std::set<Timestamp> moments;
        for (std::size_t i = 0; i < m_series.size(); ++i)
            for (std::size_t row = 0; row < m_series[i]->times.size(); ++row)
                if (peakOf(i, row))
                    moments.insert(m_series[i]->times[row]);
        return {moments.begin(), moments.end()};
    }

    std::optional<double> peakAt(std::size_t series, Timestamp when) const
    {
        const std::vector<Timestamp> &times = m_series[series]->times;
        const auto row = std::lower_bound(times.begin(), times.end(), when);
        return row != times.end() && *row == when ? peakOf(series, static_cast<std::size_t>(row - times.begin()))
                                                  : std::nullopt;
    }

    /// What it had when that was read last.
    std::optional<SeriesPoint> levelAt(std::size_t series, Timestamp when) const
    {
        const std::vector<Timestamp> &times = m_series[series]->times;
        auto row = static_cast<std::size_t>(std::upper_bound(times.begin(), times.end(), when) - times.begin());
        for (; row > 0; --row)
            if (const auto resident = m_series[series]->values[row - 1].get(Metric::Rss))
                return SeriesPoint{times[row - 1], static_cast<double>(*resident)};
        return std::nullopt;
    }

    const Snapshot &m_snapshot;
    std::vector<const MetricSeries *> m_series;
    std::vector<LivingSeries::Span> m_spans; ///< of the same
};

} // namespace

std::optional<double> residentPeak(const Snapshot &snapshot)
{
    const TimeSeries together = timeSeries(snapshot, Metric::Rss);
    const std::optional<TimeSeries::Extent> extent = together.extent(snapshot.span);
    return PeaksWithinTicks(snapshot).most(extent ? std::optional(extent->greatest) : std::nullopt);
}

std::vector<CountedOnce> countedOnce(const Snapshot &snapshot)
{
    struct Sum
    {
        CountedOnce counted;
        double notRead = 0;
    };
    std::map<Timestamp, Sum> sums;
    for (const MetricSeries &series : snapshot.metrics) {
        if (snapshot.selection.process && series.process != *snapshot.selection.process)
            continue;
        for (std::size_t i = 0; i < series.times.size(); ++i) {
            const Timestamp when = series.times[i];
            const std::optional<std::int64_t> resident = series.values[i].get(Metric::Rss),
                                              once = series.values[i].get(Metric::Pss);
            if (!resident || when <= snapshot.span.begin || snapshot.span.end < when)
                continue;
            Sum &sum = sums[when];
            sum.counted.when = when;
            if (!once) {
                sum.notRead += static_cast<double>(*resident);
                continue;
            }
            sum.counted.resident += static_cast<double>(*resident);
            sum.counted.once += static_cast<double>(*once);
        }
    }
    constexpr double kFew = 0.05;
    std::vector<CountedOnce> moments;
    for (const auto &[when, sum] : sums)
        if (sum.counted.resident > 0 && sum.notRead <= kFew * (sum.counted.resident + sum.notRead))
            moments.push_back(sum.counted);
    return moments;
}

std::optional<double> shareCountedOnce(const Snapshot &snapshot)
{
    if (snapshot.metrics.size() < 2)
        return std::nullopt;
    // Of a few processes that were left at the end the share says nothing of all.
    constexpr double kMuch = 0.5;
    const std::optional<double> peak = residentPeak(snapshot);
    const std::vector<CountedOnce> moments = countedOnce(snapshot);
    const auto most = std::max_element(moments.begin(), moments.end(),
        [](const CountedOnce &a, const CountedOnce &b) { return a.resident < b.resident; });
    if (most == moments.end() || most->resident < kMuch * peak.value_or(0))
        return std::nullopt;
    return most->once / most->resident;
}

} // namespace model
