// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/leak_test.h"

#include "model/analysis/share_interval.h"

#include <algorithm>
#include <cmath>

namespace model {

namespace {

constexpr double kMostCleared = 0.7; ///< −ln ½: half of the mature blocks would outlive another window
constexpr double kLeastT = 2.5;
constexpr std::size_t kLeastCohorts = 6;
constexpr std::size_t kLeastCohortsWithSurvivors = 3;
constexpr std::int64_t kLeastBorn = 5;
constexpr std::int64_t kLeastSurvivors = 3;
constexpr double kLeastYounger = 0.2; ///< survivors of the younger half ÷ those of the older
constexpr double kSlowing = 0.6;
constexpr double kNothingCleared = 0.05; ///< of the mature blocks, in another window
constexpr double kMostCohorts = 0.8;     ///< that leave survivors, for growth that the live blocks do not show
constexpr std::int64_t kFewDeaths = 3;
constexpr double kStillFreed = 0.15; ///< of the mature blocks, in another window

struct Line
{
    double slope = 0;
    double error = 0; ///< standard error × √((1 + ρ)/(1 − ρ)), ρ = lag-1 correlation of the residuals in [0, 0.95]
};

Line fitLine(std::span<const AgeBucket> history, std::int64_t AgeBucket::*value)
{
    const auto n = static_cast<double>(history.size());
    double mean = 0;
    for (const AgeBucket &bucket : history)
        mean += static_cast<double>(bucket.*value);
    mean /= n;
    const double middle = (n - 1) / 2;
    const double sxx = n * (n * n - 1) / 12;
    double sxy = 0;
    for (std::size_t i = 0; i < history.size(); ++i)
        sxy += (static_cast<double>(i) - middle) * (static_cast<double>(history[i].*value) - mean);
    const double slope = sxy / sxx;
    double squares = 0, products = 0, before = 0;
    for (std::size_t i = 0; i < history.size(); ++i) {
        const double residual
            = static_cast<double>(history[i].*value) - mean - slope * (static_cast<double>(i) - middle);
        squares += residual * residual;
        products += i == 0 ? 0 : residual * before;
        before = residual;
    }
    const double rho = std::clamp(products / std::max(squares, 1e-9), 0.0, 0.95);
    return {slope, std::sqrt(squares / (n - 2) / sxx * (1 + rho) / (1 - rho))};
}

double medianSlope(std::span<const AgeBucket> history)
{
    std::vector<double> slopes;
    slopes.reserve(history.size() * history.size() / 2);
    // By distance: one division each, and a loop that the compiler can do several at a time.
    for (std::size_t distance = 1; distance < history.size(); ++distance) {
        const double factor = 1 / static_cast<double>(distance);
        for (std::size_t i = 0; i + distance < history.size(); ++i)
            slopes.push_back(static_cast<double>(history[i + distance].liveBlocks - history[i].liveBlocks) * factor);
    }
    if (slopes.empty())
        return 0;
    const auto middle = slopes.begin() + static_cast<std::ptrdiff_t>(slopes.size() / 2);
    std::nth_element(slopes.begin(), middle, slopes.end());
    return slopes.size() % 2 == 1 ? *middle : (*middle + *std::max_element(slopes.begin(), middle)) / 2;
}

/// Survival by age, maturity, and whether mature blocks stay.
void lookAtPlateau(std::span<const AgeBucket> history, LeakTest &test)
{
    const std::size_t count = history.size();
    for (const AgeBucket &bucket : history) {
        test.bornInAll += bucket.born;
        test.diedInAll += bucket.died;
    }
    std::int64_t dead = 0;
    while (test.diedInAll > 0 && test.deathAge99 < count) {
        dead += history[test.deathAge99].died;
        if (static_cast<double>(dead) >= 0.99 * static_cast<double>(test.diedInAll))
            break;
        ++test.deathAge99;
    }
    test.matureAge = std::min(std::max<std::size_t>(2 * test.deathAge99 + 2, 6), count / 2);
    // At risk at age a: what died at that age or later, and what lives and is that old.
    std::vector<std::int64_t> atRisk(count);
    std::int64_t sum = 0;
    for (std::size_t age = count; age-- > 0;) {
        sum += history[age].died + history[count - 1 - age].alive;
        atRisk[age] = sum;
    }
    double survival = 1;
    test.survival.reserve(count);
    for (std::size_t age = 0; age < count; ++age) {
        if (atRisk[age] > 0)
            survival *= 1 - static_cast<double>(history[age].died) / static_cast<double>(atRisk[age]);
        test.survival.push_back(survival);
        if (age < test.matureAge)
            continue;
        test.lateDeaths += history[age].died;
        test.lateRisk += atRisk[age];
    }
    const auto deaths = static_cast<double>(test.lateDeaths);
    const double hazard
        = (deaths + 1.96 * std::sqrt(deaths + 1) + 1) / std::max(static_cast<double>(test.lateRisk), 1.0);
    test.clearedShare = hazard * static_cast<double>(count - test.matureAge);
    test.isStillFreed = deaths * static_cast<double>(count - test.matureAge)
        > kStillFreed * std::max(static_cast<double>(test.lateRisk), 1.0);
    test.hasPlateau = test.clearedShare < kMostCleared;
}

void lookAtCohorts(std::span<const AgeBucket> history, LeakTest &test)
{
    const std::size_t first = history.size() / 6, last = history.size() - test.matureAge;
    test.cohorts = last > first ? last - first : 0;
    for (std::size_t i = 0; i < test.cohorts; ++i) {
        const AgeBucket &cohort = history[first + i];
        test.born += cohort.born;
        test.survivors += cohort.alive;
        test.cohortsWithSurvivors += cohort.alive > 0 ? 1 : 0;
        (i < test.cohorts / 2 ? test.olderSurvivors : test.youngerSurvivors) += cohort.alive;
    }
    test.isEnough = history.size() >= kLeastLeakBuckets && test.cohorts >= kLeastCohorts && test.born >= kLeastBorn;
    test.recurs = test.cohortsWithSurvivors >= kLeastCohortsWithSurvivors && test.survivors >= kLeastSurvivors
        && static_cast<double>(test.youngerSurvivors) > kLeastYounger * static_cast<double>(test.olderSurvivors);
    if (test.born > 0)
        test.leakShare = static_cast<double>(test.survivors) / static_cast<double>(test.born);
    test.leakShare95 = wilsonInterval(test.survivors, test.born);
    test.isNeverFreed = test.diedInAll < kFewDeaths
        || static_cast<double>(test.diedInAll) < 0.01 * static_cast<double>(test.bornInAll);
}

void lookAtGrowth(std::span<const AgeBucket> history, LeakTest &test)
{
    const std::span<const AgeBucket> seen = history.subspan(history.size() / 6);
    const Line blocks = fitLine(seen, &AgeBucket::liveBlocks);
    const Line bytes = fitLine(seen, &AgeBucket::liveBytes);
    test.slope = blocks.slope;
    test.slopeT = blocks.slope / std::max(blocks.error, 1e-9);
    test.bytesSlope = bytes.slope;
    test.bytesSlopeError = bytes.error;
    if (!test.hasPlateau || !test.recurs || test.slopeT <= kLeastT)
        return;
    const std::size_t half = history.size() / 2;
    test.halfSlope2 = medianSlope(history.subspan(half));
    test.grows = test.halfSlope2 > 0;
    test.halfSlope1 = medianSlope(history.subspan(history.size() / 6, half - history.size() / 6));
    test.isConcave = test.halfSlope2 < kSlowing * test.halfSlope1;
}

/// A live set that swings hides what its blocks leave behind: batches as long as a bucket can even make it fall. Where next to nothing that is old is ever
/// freed, what the cohorts left adds up, and is the growth.
void lookUnderneath(std::span<const AgeBucket> history, LeakTest &test)
{
    const auto cohorts = static_cast<double>(test.cohorts), survivors = static_cast<double>(test.survivors);
    const bool addsUp = test.isEnough && test.recurs
        && test.clearedShare<kNothingCleared &&static_cast<double>(test.cohortsWithSurvivors)
               >= kMostCohorts * cohorts &&static_cast<double>(test.youngerSurvivors)>
                kSlowing
            * static_cast<double>(test.olderSurvivors);
    if (test.slopeT > kLeastT || !addsUp || history.back().liveBlocks <= 0)
        return;
    const double slope = survivors / cohorts;
    double squares = 0;
    for (const AgeBucket &cohort : history.subspan(history.size() / 6, test.cohorts))
        squares += std::pow(static_cast<double>(cohort.alive) - slope, 2);
    const double error = std::sqrt(std::max(squares / (cohorts - 1), slope) / cohorts);
    if (slope <= kLeastT * error)
        return;
    const double size = static_cast<double>(history.back().liveBytes) / static_cast<double>(history.back().liveBlocks);
    test.growsUnderneath = test.grows = true;
    test.slope = slope;
    test.slopeT = slope / error;
    test.bytesSlope = slope * size;
    test.bytesSlopeError = error * size;
    const double half = std::floor(cohorts / 2);
    test.halfSlope1 = static_cast<double>(test.olderSurvivors) / half;
    test.halfSlope2 = static_cast<double>(test.youngerSurvivors) / (cohorts - half);
}

} // namespace

double falseReportRate(std::size_t buckets)
{
    // tests/benchmarks/leak_rule_bench, ten healthy behaviours; nearly all of it are caches that fill slowly.
    return buckets < 48 ? 0.065 : buckets < 72 ? 0.03 : buckets < 100 ? 0.002 : 0.0003;
}

LeakTest testLeak(std::span<const AgeBucket> history)
{
    LeakTest test{.buckets = history.size()};
    if (history.size() < kLeastLeakBuckets)
        return test;
    lookAtPlateau(history, test);
    lookAtCohorts(history, test);
    lookAtGrowth(history, test);
    lookUnderneath(history, test);
    return test;
}

} // namespace model
