// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/analysis/random.h"
#include "model/heap/heap_ages.h"

#include <array>
#include <cstddef>
#include <string_view>
#include <vector>

namespace tests {

/// How the blocks of a made-up stack live: the generators of the leak rule.
enum class Behaviour {
    // Healthy.
    ShortLived,
    LongLived,
    HeavyTailed,
    InitOnly,
    WarmCache, ///< fills and stays, without eviction
    BoundedCache,
    PeriodicBatch, ///< all freed every so many buckets
    LoadRamp,
    Burst, ///< a backlog that drains
    Sessions,
    // Leaking.
    LeakFull,
    LeakFraction, ///< 0.3 to 50 % of the blocks
    LeakHeavyTailed,
    LeakLate,
    LeakSlow,  ///< 0.2 to 2 blocks a bucket
    LeakError, ///< in bursts
    // Adversarial: healthy, but nothing within the window tells.
    UnfilledCache,
    SessionsBeyondWindow,
    OneLateBatch,
    FiniteKeyCache,
    ParetoLifetimes,
};
inline constexpr std::size_t kHealthyBehaviours = 10; ///< the first ones
inline constexpr std::size_t kLeakingBehaviours = 6;  ///< those that follow
inline constexpr std::size_t kBehaviours = 21;
std::string_view nameOf(Behaviour behaviour);
inline Behaviour behaviourAt(std::size_t index) { return static_cast<Behaviour>(index); }

/// How a history is taken.
struct HistoryOptions
{
    std::size_t buckets = 72;
    double sampledShare = 1; ///< of the blocks that are seen; live blocks are then estimates
    double blockBytes = 100;
};

/// A stack that behaves so for 72 buckets' worth of time, whatever `buckets` says: more of them are shorter ones.
std::vector<model::AgeBucket> stackHistory(Behaviour behaviour, const HistoryOptions &options, model::Random &random);

/// Share of `runs` histories of a behaviour that the rule calls leaking.
double flaggedShare(Behaviour behaviour, const HistoryOptions &options, int runs, std::uint64_t seed);

/// Mean of flaggedShare() over the leaking behaviours, and over the healthy ones.
struct RuleScore
{
    double recall = 0;
    double falsePositives = 0;
};
RuleScore scoreLeakRule(const HistoryOptions &options, int runs, std::uint64_t seed);

} // namespace tests
