// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/growth_pattern.h"

#include "model/analysis/forecast_words.h"
#include "model/analysis/least_squares.h"
#include "model/analysis/series_blocks.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>

namespace model {

namespace {

constexpr std::size_t kLeastBlocks = 24, kMostBlocks = 144;
constexpr std::size_t kLeastPart = 5; ///< blocks between two steps
constexpr std::size_t kMostSteps = 4;
constexpr double kFlatShare = 0.005; ///< of the level: less change is none
constexpr double kLeastBend
    = 0.1;                     ///< what rises ever faster does so by more than this share at the end than at the begin
constexpr double kPenalty = 2; ///< × ln n for each parameter, twice that of BIC: a simple answer is preferred
constexpr std::array<std::string_view, 8> kKeys{
    "not_enough_data", "flat", "warm_up", "linear", "accelerating", "step", "sawtooth", "periodic"};
constexpr std::array<std::string_view, 8> kLabels{
    "Not enough data", "Flat", "Warm-up", "Linear", "Accelerating", "Step", "Sawtooth", "Periodic"};

/// One way to explain the blocks.
struct Candidate
{
    GrowthPattern pattern = GrowthPattern::Flat;
    double squares = std::numeric_limits<double>::infinity();
    double lag1 = 0;
    double parameters = 1;
    std::vector<std::size_t> changes; ///< blocks
    double length = 0;                ///< period or time constant, in blocks
};

using Values = std::vector<double>;

double sumOfSquares(const Values &values, std::size_t first, std::size_t last)
{
    double sum = 0, squares = 0;
    for (std::size_t i = first; i < last; ++i) {
        sum += values[i];
        squares += values[i] * values[i];
    }
    return std::max(squares - sum * sum / static_cast<double>(last - first), 0.0);
}

/// Fits columns that `fill` writes for each block; column 0 is 1.
template <typename Fill>
Candidate fitted(GrowthPattern pattern, const Values &values, std::size_t columns, double parameters, Fill fill)
{
    std::vector<FitRow> rows(values.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
        rows[i][0] = 1;
        fill(rows[i], static_cast<double>(i));
    }
    Candidate candidate{.pattern = pattern, .parameters = parameters};
    const auto fit = leastSquares(rows, columns, values);
    if (!fit)
        return candidate;
    // A warm-up fills, a growth that accelerates bends upwards, and by more than the last blocks of a start-up bend an even one.
    const double bend = 2 * static_cast<double>(values.size() - 1) * fit->coefficients[2];
    const bool isOtherWay = (pattern == GrowthPattern::WarmUp && fit->coefficients[1] >= 0)
        || (pattern == GrowthPattern::Accelerating
            && (fit->coefficients[2] <= 0 || fit->coefficients[1] < 0 || bend < kLeastBend * fit->coefficients[1]));
    if (isOtherWay)
        return candidate;
    candidate.squares = fit->squares;
    candidate.lag1 = fit->lag1;
    return candidate;
}

Candidate fitWarmUp(const Values &values)
{
    Candidate best{.pattern = GrowthPattern::WarmUp};
    for (double tau = static_cast<double>(values.size()) / 2.5; tau >= 1; tau /= 1.3) {
        Candidate now = fitted(
            GrowthPattern::WarmUp, values, 2, 3, [tau](FitRow &row, double x) { row[1] = std::exp(-x / tau); });
        now.length = tau;
        if (now.squares < best.squares)
            best = now;
    }
    return best;
}

Candidate fitAccelerating(const Values &values)
{
    return fitted(GrowthPattern::Accelerating, values, 3, 3, [](FitRow &row, double x) {
        row[1] = x;
        row[2] = x * x;
    });
}

Candidate fitPeriodic(const Values &values)
{
    Candidate best{.pattern = GrowthPattern::Periodic};
    const auto count = static_cast<double>(values.size());
    for (double period = count / 1.8; period >= 5; period /= 1.03) {
        Candidate now = fitted(GrowthPattern::Periodic, values, 5, 6, [period](FitRow &row, double x) {
            for (std::size_t harmonic = 0; harmonic < 2; ++harmonic) {
                const double angle = 2 * std::numbers::pi * static_cast<double>(harmonic + 1) * x / period;
                row[1 + 2 * harmonic] = std::sin(angle);
                row[2 + 2 * harmonic] = std::cos(angle);
            }
        });
        now.length = period;
        if (now.squares < best.squares)
            best = now;
    }
    return best;
}

/// Levels between jumps: the best split of the part that gains most by one, again and again.
Candidate fitSteps(const Values &values, std::size_t steps)
{
    std::vector<std::size_t> ends{values.size()};
    std::vector<std::size_t> begins{0};
    for (std::size_t step = 0; step < steps; ++step) {
        double bestGain = 0;
        std::size_t part = 0, place = 0;
        for (std::size_t p = 0; p < begins.size(); ++p) {
            const double whole = sumOfSquares(values, begins[p], ends[p]);
            for (std::size_t at = begins[p] + kLeastPart; at + kLeastPart <= ends[p]; ++at) {
                const double gain = whole - sumOfSquares(values, begins[p], at) - sumOfSquares(values, at, ends[p]);
                if (gain > bestGain) {
                    bestGain = gain;
                    part = p;
                    place = at;
                }
            }
        }
        if (bestGain <= 0)
            break;
        begins.insert(begins.begin() + static_cast<std::ptrdiff_t>(part) + 1, place);
        ends.insert(ends.begin() + static_cast<std::ptrdiff_t>(part), place);
    }
    Candidate candidate{.pattern = GrowthPattern::Step, .squares = 0};
    for (std::size_t p = 0; p < begins.size(); ++p)
        candidate.squares += sumOfSquares(values, begins[p], ends[p]);
    candidate.changes.assign(begins.begin() + 1, begins.end());
    candidate.parameters = 1 + 2 * static_cast<double>(candidate.changes.size());
    return candidate;
}

/// Teeth: falls far larger than the usual change, and between them one common slope upwards.
Candidate fitSawtooth(const Values &values)
{
    Candidate candidate{.pattern = GrowthPattern::Sawtooth};
    std::vector<double> sizes;
    for (std::size_t i = 1; i < values.size(); ++i)
        sizes.push_back(std::abs(values[i] - values[i - 1]));
    std::nth_element(sizes.begin(), sizes.begin() + static_cast<std::ptrdiff_t>(sizes.size() / 2), sizes.end());
    const double usual = sizes[sizes.size() / 2];
    const auto [least, most] = std::minmax_element(values.begin(), values.end());
    const double fall = std::max(4 * usual, 0.3 * (*most - *least));
    for (std::size_t i = 1; i < values.size(); ++i) {
        // A block may lie across the fall: two neighbours then share it.
        const double drop = values[i - 1] - values[i];
        const double twice = i > 1 ? values[i - 2] - values[i] : 0;
        if (drop < fall && twice < 1.5 * fall)
            continue;
        if (candidate.changes.empty() || i > candidate.changes.back() + 2)
            candidate.changes.push_back(i);
    }
    if (candidate.changes.size() < 2 || candidate.changes.size() * 4 > values.size())
        return candidate;
    // Slope within the teeth, each about its own mean.
    double sxx = 0, sxy = 0, syy = 0;
    std::vector<std::size_t> begins{0};
    begins.insert(begins.end(), candidate.changes.begin(), candidate.changes.end());
    begins.push_back(values.size());
    for (std::size_t p = 0; p + 1 < begins.size(); ++p) {
        const auto n = static_cast<double>(begins[p + 1] - begins[p]);
        double mean = 0;
        for (std::size_t i = begins[p]; i < begins[p + 1]; ++i)
            mean += values[i] / n;
        for (std::size_t i = begins[p]; i < begins[p + 1]; ++i) {
            const double x = static_cast<double>(i - begins[p]) - (n - 1) / 2;
            sxx += x * x;
            sxy += x * (values[i] - mean);
            syy += (values[i] - mean) * (values[i] - mean);
        }
    }
    if (sxy <= 0)
        return candidate;
    candidate.squares = std::max(syy - sxy * sxy / sxx, 0.0);
    // Equal teeth need few parameters: slope, height, length.
    candidate.parameters = 4 + static_cast<double>(candidate.changes.size()) / 2;
    candidate.length = static_cast<double>(candidate.changes.back() - candidate.changes.front())
        / static_cast<double>(candidate.changes.size() - 1);
    return candidate;
}

std::vector<Candidate> candidatesFor(const Values &values)
{
    std::vector<Candidate> all{
        {.pattern = GrowthPattern::Flat, .squares = sumOfSquares(values, 0, values.size()), .parameters = 1},
        fitted(GrowthPattern::Linear, values, 2, 2, [](FitRow &row, double x) { row[1] = x; }), fitWarmUp(values),
        fitAccelerating(values), fitPeriodic(values), fitSawtooth(values)};
    for (std::size_t steps = 1; steps <= kMostSteps; ++steps)
        all.push_back(fitSteps(values, steps));
    return all;
}

double meanOf(const Values &values, std::size_t first, std::size_t last)
{
    return std::accumulate(values.begin() + static_cast<std::ptrdiff_t>(first),
               values.begin() + static_cast<std::ptrdiff_t>(last), 0.0)
        / static_cast<double>(last - first);
}

Candidate choose(const std::vector<Candidate> &all, const Values &values, double level)
{
    const auto n = static_cast<double>(values.size());
    const auto closest = std::min_element(
        all.begin(), all.end(), [](const Candidate &a, const Candidate &b) { return a.squares < b.squares; });
    const double rho = std::clamp(closest->lag1, 0.0, 0.8);
    const double effective = n * (1 - rho) / (1 + rho);
    // Below a thousandth of the level no difference is worth a parameter.
    const double floor = n * level * level * 1e-8 + 1e-300;
    const auto score = [&](const Candidate &candidate) {
        return effective * std::log((candidate.squares + floor) / n) + kPenalty * candidate.parameters * std::log(n);
    };
    return *std::min_element(
        all.begin(), all.end(), [&](const Candidate &a, const Candidate &b) { return score(a) < score(b); });
}

std::string sentenceFor(const GrowthShape &shape, const SeriesInfo &info)
{
    const std::string label(info.label);
    const std::string rate = rateText(shape.perHour, shape.perHour90, info.unit);
    const auto change = [&] { return formatValue(std::abs(shape.change), info.unit); };
    switch (shape.pattern) {
    case GrowthPattern::NotEnough:
        return fmt::format("{}: not enough data, {} of {} blocks.", label, shape.blocks, kLeastBlocks);
    case GrowthPattern::Flat:
        return fmt::format("{}: flat at {}.", label, formatValue(shape.level, info.unit));
    case GrowthPattern::WarmUp:
        return fmt::format("{}: warmed up by {} to {}, with a time constant of {}.", label, change(),
            formatValue(shape.level, info.unit), formatDuration(*shape.timeConstant));
    case GrowthPattern::Linear:
        return fmt::format("{}: {} evenly by {}.", label, shape.perHour >= 0 ? "rises" : "falls", rate);
    case GrowthPattern::Accelerating:
        return fmt::format("{}: rises ever faster, by {} so far, {} on the whole.", label, change(), rate);
    case GrowthPattern::Step:
        return fmt::format("{}: changes in {} {}, by {} in all.", label, shape.changes.size(),
            shape.changes.size() == 1 ? "step" : "steps", change());
    case GrowthPattern::Sawtooth:
        return fmt::format("{}: rises and falls back every {}.", label, formatDuration(*shape.period));
    case GrowthPattern::Periodic:
        return fmt::format("{}: a cycle of {}.", label, formatDuration(*shape.period));
    }
    return {};
}

/// From where it began to where it is. What rises ever more slowly did most of it in its first blocks; of what jumps those before the first and
/// after the last jump tell.
double changeOf(const Candidate &best, const Values &values)
{
    const std::size_t count = values.size(), part = std::max<std::size_t>(count / 6, 1);
    std::size_t begin = part, end = count - part;
    if (best.pattern == GrowthPattern::WarmUp || best.pattern == GrowthPattern::Accelerating)
        begin = 1;
    if (best.pattern == GrowthPattern::Accelerating)
        end = count - 1;
    if (best.pattern == GrowthPattern::Step && !best.changes.empty()) {
        begin = std::min(begin, best.changes.front());
        end = std::max(end, best.changes.back());
    }
    return meanOf(values, end, count) - meanOf(values, 0, begin);
}

} // namespace

std::string_view growthPatternKey(GrowthPattern pattern) { return kKeys.at(static_cast<std::size_t>(pattern)); }

std::string_view growthPatternLabel(GrowthPattern pattern) { return kLabels.at(static_cast<std::size_t>(pattern)); }

GrowthShape growthShape(const TimeSeries &series)
{
    const TimeRange all{{0}, {std::numeric_limits<std::int64_t>::max()}};
    const SeriesBlocks blocks = seriesBlocks(series, all, kMostBlocks);
    const Values &values = blocks.values;
    const std::size_t count = values.size(), part = std::max<std::size_t>(count / 6, 1);
    GrowthShape shape{.blocks = count, .block = blocks.length};
    if (count < kLeastBlocks || blocks.filled * 5 > count) {
        shape.sentence = sentenceFor(shape, seriesInfo(series.source));
        return shape;
    }
    shape.level = meanOf(values, count - part, count);
    const Candidate best = choose(candidatesFor(values), values, shape.level);
    shape.pattern = best.pattern;
    shape.change = changeOf(best, values);
    const bool isSmall = std::abs(shape.level - meanOf(values, 0, part)) < kFlatShare * std::abs(shape.level);
    if (isSmall
        && (best.pattern == GrowthPattern::Linear || best.pattern == GrowthPattern::WarmUp
            || best.pattern == GrowthPattern::Accelerating || best.pattern == GrowthPattern::Step))
        shape.pattern = GrowthPattern::Flat;
    if (shape.pattern == GrowthPattern::Step || shape.pattern == GrowthPattern::Sawtooth)
        for (const std::size_t change : best.changes)
            shape.changes.push_back(blocks.span.begin + Duration{blocks.length.ns * static_cast<std::int64_t>(change)});
    const Duration length{std::llround(best.length * static_cast<double>(blocks.length.ns))};
    if (shape.pattern == GrowthPattern::Periodic || shape.pattern == GrowthPattern::Sawtooth)
        shape.period = length;
    if (shape.pattern == GrowthPattern::WarmUp)
        shape.timeConstant = length;
    std::vector<double> hours;
    for (std::size_t i = 0; i < count; ++i)
        hours.push_back(blocks.endOf(i).seconds() / 3600);
    const RobustTrend trend = robustTrend(hours, values);
    shape.perHour = trend.slope;
    shape.perHour90 = trend.slope90;
    const double whole = sumOfSquares(values, 0, count);
    shape.explained = whole > 0 ? std::clamp(1 - best.squares / whole, 0.0, 1.0) : 0;
    shape.sentence = sentenceFor(shape, seriesInfo(series.source));
    return shape;
}

} // namespace model
