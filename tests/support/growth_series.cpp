// SPDX-License-Identifier: GPL-3.0-or-later
#include "tests/support/growth_series.h"

#include "model/analysis/forecast.h"

#include <boost/math/distributions/students_t.hpp>

#include <algorithm>
#include <cmath>
#include <numbers>

namespace tests {

using namespace model;

namespace {

constexpr Duration kStep{300ll * 1'000'000'000};
constexpr std::size_t kMostFuture = 6000;

void addLinear(GrowthSeries &series, Random &random)
{
    const double sd = random.uniform(2, 20);
    const double rho = random.uniform(0, 0.8);
    double x = random.normal() * sd;
    for (std::size_t i = 0; i < series.values.size(); ++i) {
        series.values[i] += series.drift * static_cast<double>(i) + x;
        x = rho * x + random.normal() * sd * std::sqrt(1 - rho * rho);
    }
}

void addWalk(GrowthSeries &series, Random &random)
{
    const double sd = series.drift * random.uniform(1, 8);
    const double noise = random.uniform(0, 5);
    double level = 0;
    for (double &value : series.values) {
        level += series.drift + random.normal() * sd;
        value += level + random.normal() * noise;
    }
}

void addSteps(GrowthSeries &series, Random &random)
{
    const double rate = random.uniform(0.02, 0.2);
    const double noise = random.uniform(1, 8);
    double level = 0;
    for (double &value : series.values) {
        level += random.uniform() < rate ? random.exponential(series.drift / rate) : 0;
        value += level + random.normal() * noise;
    }
}

void addSlopeChange(GrowthSeries &series, std::size_t history, Random &random)
{
    const auto change = static_cast<std::size_t>(static_cast<double>(history) * random.uniform(0.2, 0.7));
    const double later = series.drift * (random.uniform() < 0.5 ? 0.3 : 3.0);
    const double noise = random.uniform(2, 10);
    double level = 0;
    for (std::size_t i = 0; i < series.values.size(); ++i) {
        level += i < change ? series.drift : later;
        series.values[i] += level + random.normal() * noise;
    }
    series.drift = later;
}

void addWarmup(GrowthSeries &series, Random &random)
{
    const double height = random.uniform(100, 500);
    const double tau = random.uniform(6, 24);
    const double noise = random.uniform(2, 8);
    for (std::size_t i = 0; i < series.values.size(); ++i) {
        const auto t = static_cast<double>(i);
        series.values[i] += height * (1 - std::exp(-t / tau)) + series.drift * t + random.normal() * noise;
    }
}

void addDaily(GrowthSeries &series, Random &random)
{
    const double height = random.uniform(10, 60);
    const double phase = random.uniform(0, 2 * std::numbers::pi);
    const double noise = random.uniform(2, 8);
    for (std::size_t i = 0; i < series.values.size(); ++i) {
        const auto t = static_cast<double>(i);
        series.values[i]
            += series.drift * t + height * std::sin(2 * std::numbers::pi * t / 288 + phase) + random.normal() * noise;
    }
}

/// Whether the 90 % interval of a straight line's crossing holds the truth, as `predict_linear` with a t-interval would say.
bool lineCovers(const std::vector<double> &values, std::size_t n, double limit, double truth)
{
    const auto count = static_cast<double>(n);
    double sx = 0;
    double sy = 0;
    double sxx = 0;
    double sxy = 0;
    for (std::size_t i = 0; i < n; ++i) {
        const double x = static_cast<double>(i) - (count - 1);
        sx += x;
        sy += values[i];
        sxx += x * x;
        sxy += x * values[i];
    }
    const double centred = sxx - sx * sx / count;
    const double slope = (sxy - sx * sy / count) / centred;
    const double level = (sy - slope * sx) / count;
    double squares = 0;
    for (std::size_t i = 0; i < n; ++i) {
        const double residual = values[i] - level - slope * (static_cast<double>(i) - (count - 1));
        squares += residual * residual;
    }
    const double se = std::sqrt(squares / (count - 2) / centred);
    const double q = boost::math::quantile(boost::math::students_t(count - 2), 0.95);
    const auto crossing = [&](double s) { return s > 0 ? (limit - level) / s : INFINITY; };
    return crossing(slope + q * se) <= truth && truth <= crossing(slope - q * se);
}

double blocksOf(const std::optional<Duration> &time)
{
    return time ? static_cast<double>(time->ns) / static_cast<double>(kStep.ns) : INFINITY;
}

/// A series with a limit, and when it is crossed, in points after the history.
struct Trial
{
    GrowthSeries series;
    double limit = 0;
    double truth = 0;
};

Trial makeTrial(GrowthKind kind, std::size_t history, Random &random)
{
    for (;;) {
        Trial trial{growthSeries(kind, history, kMostFuture, random)};
        const auto end = trial.series.values.begin() + static_cast<std::ptrdiff_t>(history);
        trial.limit
            = *std::max_element(trial.series.values.begin(), end) + trial.series.drift * random.uniform(72, 720);
        const auto hit
            = std::find_if(end, trial.series.values.end(), [&trial](double value) { return value >= trial.limit; });
        if (hit == trial.series.values.end())
            continue;
        trial.truth = static_cast<double>(hit - end + 1);
        return trial;
    }
}

} // namespace

std::string_view nameOf(GrowthKind kind)
{
    static constexpr std::array<std::string_view, kGrowthKinds.size()> kNames{"linear, correlated noise",
        "random walk with drift", "steps", "slope change", "warm-up, then linear", "daily cycle"};
    return kNames[static_cast<std::size_t>(kind)];
}

GrowthSeries growthSeries(GrowthKind kind, std::size_t history, std::size_t future, Random &random)
{
    GrowthSeries series{std::vector<double>(history + future, 1000.0), random.uniform(0.3, 3)};
    switch (kind) {
    case GrowthKind::LinearCorrelated:
        addLinear(series, random);
        break;
    case GrowthKind::RandomWalk:
        addWalk(series, random);
        break;
    case GrowthKind::Steps:
        addSteps(series, random);
        break;
    case GrowthKind::SlopeChange:
        addSlopeChange(series, history, random);
        break;
    case GrowthKind::Warmup:
        addWarmup(series, random);
        break;
    case GrowthKind::Daily:
        addDaily(series, random);
        break;
    }
    return series;
}

TimeSeries lineOf(const std::vector<double> &values, std::size_t count, Duration step)
{
    TimeSeries line{Metric::Rss, {{}}};
    for (std::size_t i = 0; i < count; ++i)
        line.segments[0].push_back({{static_cast<std::int64_t>(i + 1) * step.ns}, values[i]});
    return line;
}

ForecastScore scoreForecasts(GrowthKind kind, std::size_t history, int runs, std::uint32_t paths, std::uint64_t seed)
{
    Random random(seed);
    ForecastScore score{.runs = runs};
    std::vector<double> errors;
    for (int run = 0; run < runs; ++run) {
        const Trial trial = makeTrial(kind, history, random);
        const ForecastOptions options{.limit = ForecastLimit{trial.limit, "limit"},
            .longestHorizon = {static_cast<std::int64_t>(kMostFuture) * kStep.ns},
            .horizonPerHistory = 100,
            .paths = paths};
        const Forecast ahead = *forecast(lineOf(trial.series.values, history, kStep), options);
        const TimeToLimit time = ahead.timeToLimit.value_or(TimeToLimit{});
        // Half a point of tolerance: the true crossing is known to a point only.
        const auto covers = [&](const std::optional<Duration> &low, const std::optional<Duration> &high) {
            return blocksOf(low) <= trial.truth + 0.5 && trial.truth - 0.5 <= blocksOf(high);
        };
        score.covered90 += covers(time.q05, time.q95) / static_cast<double>(runs);
        score.covered50 += covers(time.q25, time.q75) / static_cast<double>(runs);
        score.lineCovered90
            += lineCovers(trial.series.values, history, trial.limit, trial.truth) / static_cast<double>(runs);
        errors.push_back(std::min(10.0, std::abs(blocksOf(time.median) - trial.truth) / trial.truth));
    }
    std::sort(errors.begin(), errors.end());
    score.medianError = errors[errors.size() / 2];
    return score;
}

} // namespace tests
