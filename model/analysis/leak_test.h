// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/analysis/robust_trend.h"
#include "model/heap/heap_ages.h"

#include <cstdint>
#include <span>
#include <vector>

namespace model {

/// Fewest buckets of a history that anything is said about, and fewest for a confirmed answer.
inline constexpr std::size_t kLeastLeakBuckets = 36;
inline constexpr std::size_t kConfirmedLeakBuckets = 72;

/// What the cohort–plateau–growth rule makes of one stack: each condition with the numbers behind it. Ages and times in buckets.
struct LeakTest
{
    std::size_t buckets = 0; ///< of the history, K
    bool isEnough
        = false; ///< K ≥ 36, ≥ 6 cohorts that are old enough, ≥ 5 blocks born in them; else nothing below holds
    std::size_t deathAge99 = 0;   ///< 99 of 100 blocks that were freed had this age or less
    std::size_t matureAge = 0;    ///< a0 = clamp(2·deathAge99 + 2, 6, K/2): older blocks should be gone
    std::vector<double> survival; ///< S(a): share of the blocks that live beyond age a (Kaplan–Meier)

    // Plateau: mature blocks are hardly freed any more.
    std::int64_t lateDeaths = 0;
    std::int64_t lateRisk = 0; ///< blocks × buckets that were lived at mature ages
    double clearedShare = 0; ///< upper bound of what another window would free, as hazard × (K − a0); below 0.7 holds
    bool hasPlateau = false;

    // Recurrence: cohort after cohort leaves survivors.
    std::size_t cohorts = 0; ///< in [K/6, K − a0)
    std::size_t cohortsWithSurvivors = 0;
    std::int64_t born = 0; ///< in them
    std::int64_t survivors = 0;
    std::int64_t olderSurvivors = 0; ///< of the older half of the cohorts
    std::int64_t youngerSurvivors = 0;
    bool recurs = false;

    // Growth: the live blocks rise.
    double slope = 0;      ///< blocks a bucket, least squares over the last 5/6
    double slopeT = 0;     ///< slope ÷ its error, which is inflated for correlation; above 2.5 holds
    double halfSlope1 = 0; ///< Theil–Sen, blocks a bucket, of [K/6, K/2)
    double halfSlope2 = 0; ///< of the last half; above 0 holds
    bool grows = false;
    bool growsUnderneath
        = false; ///< the live blocks swing too much to show it: slopes and errors are those of the survivors, cohort by cohort

    double bytesSlope = 0;      ///< bytes a bucket over the last 5/6, least squares
    double bytesSlopeError = 0; ///< its standard error, inflated likewise

    std::int64_t bornInAll = 0; ///< since the history began
    std::int64_t diedInAll = 0;
    double leakShare = 0;   ///< survivors ÷ born of the mature cohorts
    Interval leakShare95;   ///< Wilson's
    bool isConcave = false; ///< halfSlope2 < 0.6 × halfSlope1: growth is slowing down
    bool isNeverFreed
        = false; ///< fewer than 3 of its blocks, and than one of 100, were ever freed: nothing says how long they should live
    bool isStillFreed = false; ///< mature blocks are still freed now and then: some live very long

    /// What flags it could also be a cache that fills, or blocks that live longer than was looked at.
    bool couldBeCache() const { return isConcave || isNeverFreed || isStillFreed; }
    bool leaks() const { return isEnough && hasPlateau && recurs && grows; }
};

/// Share of healthy stacks that the rule calls leaking after so many buckets, as measured (README.md); rounded up.
double falseReportRate(std::size_t buckets);

/// Applies the rule to a history (ANALYSIS 8.1; figures in model/analysis/README.md). O(K), and K² for the few that pass all else. Pure.
LeakTest testLeak(std::span<const AgeBucket> history);

} // namespace model
