// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/forecast.h"

#include "model/analysis/first_passage.h"
#include "model/analysis/forecast_words.h"
#include "model/analysis/series_blocks.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

namespace model {

namespace {

constexpr std::size_t kMostBlocks = 600;
constexpr std::size_t kMostTrendPoints = 120;
constexpr std::size_t kLeastForBackTest = 60;
constexpr double kNsPerHour = 3600e9;
constexpr double kMostFilled = 0.2;  ///< share of blocks without data
constexpr double kScatter = 4;       ///< median distances from a level, about 2.7 standard deviations
constexpr double kTailWeight = 0.85; ///< of the futures after a change of slope

/// Quantile of a small unsorted sample, interpolated.
double quantile(std::vector<double> values, double share)
{
    std::sort(values.begin(), values.end());
    return sortedQuantile(values, share);
}

/// How much larger the errors of forecasts of the past were than expected: 0.9 quantile of |error| / sd over that of a normal. sd is what the
/// model of that time expected, or what the model of all values would: a line that was straight until then expects next to nothing.
double backTestInflation(std::span<const double> values)
{
    constexpr std::size_t kOrigins = 6;
    constexpr double kNormal90 = 1.645;
    const std::size_t n = values.size();
    const LocalLevelFit now = fitLocalLevel(values);
    std::vector<double> errors;
    for (std::size_t i = 0; i < kOrigins; ++i) {
        const double part = 0.4 + 0.45 * static_cast<double>(i) / (kOrigins - 1);
        const auto origin = static_cast<std::size_t>(static_cast<double>(n) * part);
        if (origin < 8)
            continue;
        const LocalLevelFit fit = fitLocalLevel(values.first(origin));
        const std::size_t ahead = n - origin;
        for (const std::size_t blocks :
            {std::max<std::size_t>(1, ahead / 4), std::max<std::size_t>(1, ahead / 2), ahead}) {
            const auto distance = static_cast<double>(blocks);
            const double error = std::abs(values[origin + blocks - 1] - fit.expected(distance));
            errors.push_back(error / std::sqrt(std::max(fit.variance(distance), now.variance(distance))));
        }
    }
    return errors.empty() ? 1 : std::max(1.0, quantile(errors, 0.9) / kNormal90);
}

/// `level`: of the trend through the last straight piece. What scatters moves by more than its scatter only where the newest values do.
SeenValues seenValues(std::span<const double> values, double level)
{
    constexpr double kMoved = 0.1;   ///< of the greatest: less is no other level
    constexpr double kSettled = 0.9; ///< of the time: what was before is start-up
    const auto [least, greatest] = std::minmax_element(values.begin(), values.end());
    const std::span<const double> last = values.last(std::min<std::size_t>(values.size(), 3));
    SeenValues seen{.first = values.front(),
        .least = *least,
        .greatest = *greatest,
        .newest = quantile({last.begin(), last.end()}, 0.5)};
    std::vector<double> distances;
    for (const double value : values)
        distances.push_back(std::abs(value - level));
    const double scatter = quantile(std::move(distances), 0.5), little = kMoved * std::abs(seen.greatest);
    const auto left = std::find_if(
        values.rbegin(), values.rend(), [&](double value) { return std::abs(value - seen.newest) > little; });
    seen.settled = static_cast<std::size_t>(left - values.rbegin());
    const bool isElsewhere = std::abs(seen.newest - level) > std::max(little, kScatter * scatter);
    const bool isWide = seen.greatest - seen.least > std::max(little, 3 * kScatter * scatter);
    const double settled = static_cast<double>(seen.settled) / static_cast<double>(values.size());
    seen.hasMoved = isElsewhere || (isWide && settled < kSettled);
    return seen;
}

double degreesOf(std::size_t blocks) { return std::max(5.0, static_cast<double>(blocks) / 12); }

/// Trend of the last straight piece, in hours before its end.
RobustTrend trendOf(std::span<const double> values, Duration block)
{
    const std::size_t each = (values.size() + kMostTrendPoints - 1) / kMostTrendPoints;
    std::vector<double> times;
    std::vector<double> means;
    for (std::size_t i = values.size() % each; i + each <= values.size(); i += each) {
        const auto part = values.subspan(i, each);
        means.push_back(std::accumulate(part.begin(), part.end(), 0.0) / static_cast<double>(each));
        const double middle
            = static_cast<double>(i) + static_cast<double>(each) / 2 - static_cast<double>(values.size());
        times.push_back(middle * static_cast<double>(block.ns) / kNsPerHour);
    }
    return robustTrend(times, means);
}

class Forecaster
{
public:
    Forecaster(const TimeSeries &series, const ForecastOptions &options)
        : m_options(options)
    {
        m_result.source = series.source;
        m_result.label = options.label.empty() ? std::string(seriesInfo(series.source).label) : options.label;
        m_result.limit = options.limit;
        if (series.isEmpty())
            return;
        m_hasValues = true;
        const TimeRange whole{series.segments.front().front().when, series.segments.back().back().when};
        m_blocks = seriesBlocks(series, options.history.value_or(whole), kMostBlocks);
        m_result.block = m_blocks.length;
        m_result.blocks = m_blocks.values.size();
        m_result.now = m_blocks.span.end;
    }

    std::optional<Forecast> run(const std::stop_token &stop)
    {
        if (!lacksData()) {
            findShape();
            if (!isDirectionOnly() && !simulate(stop))
                return std::nullopt;
        }
        m_result.verdict = forecastVerdict(m_result);
        m_result.method = forecastMethod(m_result, m_blocks.filled);
        return std::move(m_result);
    }

private:
    std::span<const double> deseasoned() const { return m_values; }
    std::span<const double> tail() const { return deseasoned().subspan(m_change); }

    bool lacksData()
    {
        if (m_result.blocks >= kLeastForecastDirection)
            return false;
        m_result.reason = m_result.blocks == 0
            ? std::string(m_hasValues ? "it was read less than twice in this time"
                                      : "the recording has no values of it in this time")
            : fmt::format("{} blocks of {} are too few, {} are needed to see a direction and {} for a forecast",
                m_result.blocks, formatDuration(m_result.block), kLeastForecastDirection, kLeastForecastBlocks);
        return true;
    }

    void findShape()
    {
        m_values = m_blocks.values;
        const double dayBlocks = 86400e9 / static_cast<double>(m_blocks.length.ns);
        const double period = m_options.season
            ? static_cast<double>(m_options.season->ns) / static_cast<double>(m_blocks.length.ns)
            : dayBlocks;
        m_season = findSeason(m_values, period);
        if (m_season) {
            for (std::size_t i = 0; i < m_values.size(); ++i)
                m_values[i] -= m_season->at(static_cast<double>(i));
            m_result.season = Duration{std::llround(period * static_cast<double>(m_blocks.length.ns))};
        }
        m_change = lastSlopeChange(m_values);
        findTrend();
        m_result.seen = seenValues(m_blocks.values, m_result.level);
        if (hasSettled() && settledSince() > m_change) {
            m_change = settledSince();
            findTrend();
        }
        if (m_change > 0)
            m_result.slopeChange = m_blocks.endOf(m_change - 1);
        if (m_result.seen.hasMoved && !m_season && !m_result.isGrowing && !m_result.isShrinking)
            m_result.level = m_result.seen.newest;
    }

    /// Trend of the last straight piece.
    void findTrend()
    {
        m_result.trend = trendOf(tail(), m_blocks.length);
        m_result.level = m_result.trend.level;
        m_result.isGrowing = m_result.trend.slope90.low > 0;
        m_result.isShrinking = m_result.trend.slope90.high < 0;
    }

    /// Whether it moved elsewhere and has stood still there since, so that the way there says little of what comes: a change like one of slope,
    /// but often too near the beginning to be found as one.
    bool hasSettled() const
    {
        return m_result.seen.standsStill(m_result.blocks) && m_result.seen.settled >= kLeastForecastDirection
            && !m_season && !m_result.isGrowing && !m_result.isShrinking;
    }

    /// The first block of where it stands now: what is near it, but beyond its scatter, is the rest of the way there.
    std::size_t settledSince() const
    {
        const auto values = deseasoned().last(m_result.seen.settled);
        const double level = quantile({values.begin(), values.end()}, 0.5);
        std::vector<double> distances;
        for (const double value : values)
            distances.push_back(std::abs(value - level));
        const double most = kScatter * quantile(distances, 0.5);
        const auto first
            = std::find_if(distances.begin(), distances.end(), [most](double each) { return each <= most; });
        const auto left = static_cast<std::size_t>(distances.end() - first);
        return m_values.size() - std::max(left, kLeastForecastDirection);
    }

    bool isDirectionOnly()
    {
        m_result.state = ForecastState::DirectionOnly;
        if (m_result.blocks < kLeastForecastBlocks)
            m_result.reason = fmt::format("{} blocks of {} were seen, {} are needed", m_result.blocks,
                formatDuration(m_result.block), kLeastForecastBlocks);
        else if (static_cast<double>(m_blocks.filled) > kMostFilled * static_cast<double>(m_result.blocks))
            m_result.reason = fmt::format("{} of {} blocks have no data", m_blocks.filled, m_result.blocks);
        else if (m_options.season && !m_season
            && static_cast<double>(m_blocks.span.length().ns) < 1.5 * static_cast<double>(m_options.season->ns))
            m_result.reason = fmt::format("{} is less than 1.5 cycles of {}, so the cycle cannot be told from a trend",
                formatDuration(m_blocks.span.length()), formatDuration(*m_options.season));
        else
            m_result.state = ForecastState::Forecast;
        return m_result.state == ForecastState::DirectionOnly;
    }

    std::vector<FutureModel> models()
    {
        double inflation = tail().size() >= kLeastForBackTest ? backTestInflation(tail()) : 1.6;
        if (m_change > 0)
            inflation = std::max(inflation, 1.3);
        m_result.inflation = inflation;
        std::vector<FutureModel> models;
        models.push_back({fitLocalLevel(tail()), inflation, m_change > 0 ? kTailWeight : 1, degreesOf(tail().size())});
        if (m_change > 0)
            models.push_back({fitLocalLevel(deseasoned()), backTestInflation(deseasoned()), 1 - kTailWeight,
                degreesOf(deseasoned().size())});
        return models;
    }

    bool simulate(const std::stop_token &stop)
    {
        const double blockNs = static_cast<double>(m_blocks.length.ns);
        const double horizonNs = std::min(static_cast<double>(m_options.longestHorizon.ns),
            static_cast<double>(m_blocks.span.length().ns) * m_options.horizonPerHistory);
        m_result.horizon = {std::llround(horizonNs)};
        FutureOptions options{.season = m_season,
            .lastBlock = static_cast<double>(m_values.size() - 1),
            .horizonBlocks = horizonNs / blockNs,
            .otherLimits = m_options.otherLimits,
            .paths = std::max<std::uint32_t>(m_options.paths, 20),
            .seed = m_options.seed};
        if (m_result.limit)
            options.limit = m_result.limit->value;
        const std::vector<FutureModel> futureModels = models();
        const std::optional<Futures> futures = simulateFutures(futureModels, options, stop);
        if (!futures)
            return false;
        for (const FutureQuantiles &at : futures->band) {
            const Timestamp when = m_result.now + Duration{std::llround(at.blocks * blockNs)};
            const auto least = [](double value) { return std::max(0.0, value); };
            m_result.band.push_back({when, least(at.values[0]), least(at.values[1]), least(at.values[2]),
                least(at.values[3]), least(at.values[4])});
        }
        if (m_result.limit)
            tellTime(futures->passages);
        for (std::size_t i = 0; i < futures->otherPassages.size(); ++i)
            m_result.otherLimits.push_back(
                {m_options.otherLimits[i], timeTo(m_options.otherLimits[i], futures->otherPassages[i])});
        return true;
    }

    TimeToLimit timeTo(double limit, std::vector<double> passages) const
    {
        if (m_blocks.values.back() >= limit)
            std::fill(passages.begin(), passages.end(), 0);
        const auto at = [&](double share) -> std::optional<Duration> {
            const double blocks = sortedQuantile(passages, share);
            if (!std::isfinite(blocks))
                return std::nullopt;
            return Duration{std::llround(blocks * static_cast<double>(m_blocks.length.ns))};
        };
        return {at(0.05), at(0.25), at(0.5), at(0.75), at(0.95), reachedBy(1e300, passages)};
    }

    static double reachedBy(double blocks, const std::vector<double> &passages)
    {
        const auto end = std::upper_bound(passages.begin(), passages.end(), blocks);
        return static_cast<double>(end - passages.begin()) / static_cast<double>(passages.size());
    }

    void tellTime(std::vector<double> passages)
    {
        m_result.timeToLimit = timeTo(m_result.limit->value, passages);
        if (m_blocks.values.back() >= m_result.limit->value)
            std::fill(passages.begin(), passages.end(), 0);
        for (std::size_t i = 0; i < kForecastHours.size(); ++i) {
            const double blocks = kForecastHours[i] * kNsPerHour / static_cast<double>(m_blocks.length.ns);
            if (kForecastHours[i] * kNsPerHour <= static_cast<double>(m_result.horizon.ns))
                m_result.reachedWithin[i] = reachedBy(blocks, passages);
        }
    }

    const ForecastOptions &m_options;
    Forecast m_result;
    bool m_hasValues = false; ///< at any time
    SeriesBlocks m_blocks;
    std::vector<double> m_values; ///< blocks without the season
    std::optional<Season> m_season;
    std::size_t m_change = 0;
};

} // namespace

std::optional<Forecast> forecast(const TimeSeries &series, const ForecastOptions &options, std::stop_token stop)
{
    return Forecaster(series, options).run(stop);
}

} // namespace model
