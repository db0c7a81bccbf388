// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/leak_detector.h"

#include "model/aggregate/own_code.h"
#include "model/aggregate/unrecorded_heap.h"
#include "model/analysis/leak_places.h"
#include "model/analysis/leak_words.h"
#include "model/analysis/share_interval.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>
#include <tuple>

namespace model {

namespace {

constexpr double kHorizonHours = 24;
constexpr std::int64_t kLeastHeld = 1 << 20; ///< bytes at the horizon, or
constexpr double kLeastHeldShare = 0.001;    ///< of the live heap
constexpr double kLeastIdleShare = 0.01;     ///< of the live heap, for what is kept and does not grow
constexpr std::size_t kMostNeighbours = 5;

struct TierName
{
    std::string_view key;
    std::string_view label;
};
constexpr std::array<TierName, 4> kTierNames{{{"lost", "Lost"}, {"growing", "Growing"},
    {"could_be_cache", "Growing, could be a cache"}, {"idle", "Kept, not growing"}}};

bool isSelected(const Snapshot &snapshot, ImageId image)
{
    const std::optional<ProcessId> &process = snapshot.selection.process;
    return !process || snapshot.tables->images.at(image.index()).process == *process;
}

/// Adds up what the stacks of an item say; they are independent, so their variances add up.
void sumUp(LeakItem &item)
{
    double variance = 0;
    std::int64_t survivors = 0, born = 0;
    std::sort(item.stacks.begin(), item.stacks.end(), [](const LeakStack &a, const LeakStack &b) {
        return std::tuple(a.ages != nullptr, a.bytesPerHour, a.lost.bytes)
            > std::tuple(b.ages != nullptr, b.bytesPerHour, b.lost.bytes);
    });
    for (const LeakStack &stack : item.stacks) {
        item.bytesPerHour += stack.bytesPerHour;
        const double half = stack.bytesPerHour95.high - stack.bytesPerHour;
        variance += half * half;
        item.liveBytes += stack.liveBytes;
        item.liveBlocks += stack.liveBlocks;
        item.lost += stack.lost;
        item.lostTwice += stack.lostTwice;
        item.held += stack.held;
        survivors += stack.test.survivors;
        born += stack.test.born;
        item.isConfirmed = item.isConfirmed || stack.test.buckets >= kConfirmedLeakBuckets;
    }
    if (item.tier == LeakTier::Lost)
        item.isConfirmed = item.lostTwice.blocks > 0;
    item.bytesPerHour95 = {item.bytesPerHour - std::sqrt(variance), item.bytesPerHour + std::sqrt(variance)};
    item.leakShare = born > 0 ? static_cast<double>(survivors) / static_cast<double>(born) : 0;
    item.leakShare95 = wilsonInterval(survivors, born);
}

class Detector
{
public:
    Detector(const Snapshot &snapshot, std::stop_token stop)
        : m_snapshot(snapshot)
        , m_stop(std::move(stop))
        , m_functions(snapshot.tables)
        , m_places(m_functions)
    {
    }

    std::optional<LeakReport> run()
    {
        takeLost();
        takeClaims();
        const bool hasAges = m_snapshot.heapAges && !m_snapshot.heapAges->clocks.empty() && isHeapRecorded(m_snapshot);
        if (!hasAges && m_lost.empty()) {
            tellLeaks(m_snapshot, m_report);
            return std::move(m_report);
        }
        for (const HeapCost &cost : m_snapshot.heap)
            m_places.learn(cost.stack);
        m_report.foldedBelow = leakFloor(m_snapshot.heapSummary.liveBytes);
        if (hasAges) {
            m_report.state = LeakReport::State::NotEnough;
            for (const AgeClock &clock : m_snapshot.heapAges->clocks)
                if (isSelected(m_snapshot, clock.image) && !lookAt(clock))
                    return std::nullopt;
        }
        addRestOfLost();
        finish();
        return std::move(m_report);
    }

private:
    using Key = std::pair<std::uint32_t, std::uint32_t>; ///< image, stack (or function)

    struct LostStack
    {
        std::shared_ptr<const MemoryScan> scan;
        BlockSum lost;
        BlockSum lostTwice;
        BlockSum held;
        bool isTold = false;
    };

    /// Of the last scan of each image: stacks of which blocks are definitely lost, with what is lost behind them at the same stack.
    void takeLost()
    {
        std::map<std::uint32_t, std::shared_ptr<const MemoryScan>> last;
        for (const auto &scan : m_snapshot.scans)
            last[scan->image.value] = scan;
        for (const auto &[image, scan] : last)
            for (const ScannedStack &stack : scan->stacks) {
                const auto sum = [&stack](ReachClass reach) { return stack.sums[static_cast<std::size_t>(reach)]; };
                if (sum(ReachClass::Directly).blocks <= 0)
                    continue;
                LostStack &lost = m_lost[{image, stack.stack.value}];
                lost = {scan, sum(ReachClass::Directly), stack.confirmed, stack.held};
                lost.lost += sum(ReachClass::Indirectly);
            }
    }

    void takeClaims()
    {
        for (const LeakClaim &claim : m_snapshot.leakClaims) {
            if (!isSelected(m_snapshot, claim.image))
                continue;
            ++m_report.claims;
            if (claim.withdrawn)
                m_withdrawn[{claim.image.value, claim.stack.value}] = &claim;
        }
    }

    /// What a scan found, and no history: few blocks, lost early, or a recording that is too short for more.
    void addRestOfLost()
    {
        std::map<Key, const HeapCost *> costs;
        for (const HeapCost &cost : m_snapshot.heap)
            costs[{cost.image.value, cost.stack.value}] = &cost;
        for (const auto &[key, lost] : m_lost) {
            if (lost.isTold)
                continue;
            LeakStack stack{.stack = StackId(key.second)};
            if (const auto cost = costs.find(key); cost != costs.end()) {
                stack.liveBytes = cost->second->liveBytes;
                stack.liveBlocks = cost->second->liveBlocks;
            }
            add(ImageId(key.first), std::move(stack), LeakTier::Lost);
        }
    }

    bool lookAt(const AgeClock &clock)
    {
        m_report.followed += clock.followed;
        m_report.tooMany += clock.tooMany;
        if (clock.buckets >= m_report.buckets) {
            m_report.buckets = clock.buckets;
            m_report.bucket = clock.bucket;
        }
        for (const StackAges &ages : m_snapshot.heapAges->stacks) {
            if (ages.image != clock.image)
                continue;
            if (m_stop.stop_requested())
                return false;
            judge(clock, judgedStack(ages, clock));
        }
        return true;
    }

    void judge(const AgeClock &clock, LeakStack stack)
    {
        const LeakTest &test = stack.test;
        const bool isLost = m_lost.contains({clock.image.value, stack.stack.value});
        if (test.isEnough) {
            m_report.state = LeakReport::State::Done;
            ++m_report.tested;
            if (canBeLarge(stack)) // those that are accused count as well: they may be the false ones
                m_report.expectedFalse += falseReportRate(test.buckets);
        }
        if (isLost) {
            add(clock.image, std::move(stack), LeakTier::Lost);
        } else if (!test.isEnough) {
            return;
        } else if (test.leaks()) {
            if (!isWorthTelling(stack, m_report.foldedBelow)) {
                ++m_report.folded;
                return;
            }
            const bool isDoubtful = test.couldBeCache() || m_withdrawn.contains({clock.image.value, stack.stack.value});
            add(clock.image, std::move(stack), isDoubtful ? LeakTier::CouldBeCache : LeakTier::Growing);
        } else {
            const double least = kLeastIdleShare * static_cast<double>(m_snapshot.heapSummary.liveBytes);
            const bool isKept = test.hasPlateau && test.survivors > 0 && test.leakShare > 0.5;
            if (isKept && static_cast<double>(stack.liveBytes) >= std::max(least, static_cast<double>(kLeastHeld)))
                add(clock.image, std::move(stack), LeakTier::Idle);
        }
    }

    /// Whether a false report of this stack would pass the cut by size.
    bool canBeLarge(const LeakStack &stack) const
    {
        return std::abs(stack.bytesPerHour95.high) * kHorizonHours + static_cast<double>(stack.liveBytes)
            >= static_cast<double>(m_report.foldedBelow);
    }

    /// What is told of one place together: a stack that is sure says nothing about others of which it is not known.
    static int sortOf(LeakTier tier) { return tier == LeakTier::Idle ? 2 : tier == LeakTier::CouldBeCache ? 1 : 0; }

    void add(ImageId image, LeakStack stack, LeakTier tier)
    {
        const auto lost = m_lost.find({image.value, stack.stack.value});
        if (lost != m_lost.end()) {
            stack.lost = lost->second.lost;
            stack.lostTwice = lost->second.lostTwice;
            stack.held = lost->second.held;
            lost->second.isTold = true;
        }
        if (const auto claim = m_withdrawn.find({image.value, stack.stack.value}); claim != m_withdrawn.end())
            stack.withdrawn = claim->second;
        const StackLine &line = m_places.placeOf(stack.stack);
        const auto [it, isNew] = m_items.try_emplace({image.value, sortOf(tier), line.modulePath + '\n' + line.name});
        LeakItem &item = it->second;
        if (isNew) {
            item = {.tier = tier, .function = line.name, .module = line.moduleName, .image = image};
            item.place = shortFunctionName(line.name);
            item.place.resize(std::min(item.place.find(" [clone"), item.place.size()));
            item.where = shortPlace(line.file, line.line);
        }
        item.tier = std::min(item.tier, tier);
        if (lost != m_lost.end())
            item.scan = lost->second.scan;
        item.stacks.push_back(std::move(stack));
    }

    /// What allocates where something was found, by place.
    void gatherNeighbours()
    {
        if (m_items.empty())
            return;
        for (const HeapCost &cost : m_snapshot.heap)
            m_costs[{cost.image.value, m_places.functionOf(cost.stack).value}].push_back(&cost);
    }

    void addNeighbours(LeakItem &item)
    {
        std::set<std::uint32_t> own;
        for (const LeakStack &stack : item.stacks)
            own.insert(stack.stack.value);
        const FunctionId function = m_places.functionOf(item.stacks.front().stack);
        for (const HeapCost *cost : m_costs[{item.image.value, function.value}])
            if (!own.contains(cost->stack.value))
                item.neighbours.push_back({cost->stack, cost->allocations, cost->frees, cost->liveBytes});
        item.neighbourCount = static_cast<std::int64_t>(item.neighbours.size());
        std::stable_sort(item.neighbours.begin(), item.neighbours.end(),
            [](const LeakNeighbour &a, const LeakNeighbour &b) { return a.liveBytes > b.liveBytes; });
        item.neighbours.resize(std::min(item.neighbours.size(), kMostNeighbours));
    }

    void finish()
    {
        gatherNeighbours();
        for (auto &[key, item] : m_items) {
            sumUp(item);
            addNeighbours(item);
            tellLeak(m_snapshot, item);
            m_report.items.push_back(std::move(item));
        }
        std::stable_sort(m_report.items.begin(), m_report.items.end(), [](const LeakItem &a, const LeakItem &b) {
            if (a.tier != b.tier)
                return a.tier < b.tier;
            if (a.tier == LeakTier::Lost && a.lost.bytes != b.lost.bytes)
                return a.lost.bytes > b.lost.bytes;
            if (a.tier == LeakTier::Idle)
                return a.liveBytes > b.liveBytes;
            return a.bytesPerHour95.low * kHorizonHours + static_cast<double>(a.liveBytes)
                > b.bytesPerHour95.low * kHorizonHours + static_cast<double>(b.liveBytes);
        });
        for (const auto &[key, claim] : m_withdrawn)
            m_report.withdrawn.push_back(shortFunctionName(m_places.placeOf(claim->stack).name));
        tellLeaks(m_snapshot, m_report);
    }

    const Snapshot &m_snapshot;
    std::stop_token m_stop;
    FunctionIndex m_functions;
    LeakPlaces m_places;
    LeakReport m_report;
    std::map<std::tuple<std::uint32_t, int, std::string>, LeakItem> m_items; ///< by image, sort, place
    std::map<Key, std::vector<const HeapCost *>> m_costs;                    ///< by image, function
    std::map<Key, LostStack> m_lost;
    std::map<Key, const LeakClaim *> m_withdrawn;
};

/// Variance that sampling adds to the slope of live bytes, (bytes a bucket)². Each block that stays was sampled with probability p = 1 − e^(−s/P)
/// and stands for s/p bytes, so what is kept is a random walk whose variance grows by s·(1/p − 1) a byte; a least-squares slope over n steps of
/// a random walk has the variance 6/5 of a step's ÷ n (e.g. Durlauf and Phillips, Econometrica 56, 1988).
double samplingVariance(const StackAges &ages, const AgeClock &clock, double bytesSlope)
{
    if (clock.periodBytes <= 1 || ages.buckets.empty() || ages.buckets.back().liveBlocks <= 0 || bytesSlope <= 0)
        return 0;
    const AgeBucket &now = ages.buckets.back();
    const double size = static_cast<double>(now.liveBytes) / static_cast<double>(now.liveBlocks);
    const double sampled = -std::expm1(-size / static_cast<double>(clock.periodBytes));
    if (sampled <= 0)
        return 0;
    const double steps = static_cast<double>(ages.buckets.size() - ages.buckets.size() / 6);
    return 1.2 * size * (1 / sampled - 1) * bytesSlope / steps;
}

} // namespace

LeakStack judgedStack(const StackAges &ages, const AgeClock &clock)
{
    LeakStack stack{.stack = ages.stack, .test = testLeak(ages.buckets), .ages = &ages};
    stack.liveBytes = ages.buckets.empty() ? 0 : ages.buckets.back().liveBytes;
    stack.liveBlocks = ages.buckets.empty() ? 0 : ages.buckets.back().liveBlocks;
    const double perHour = 3600 / std::max(ages.bucket.seconds(), 1e-9);
    stack.bytesPerHour = stack.test.bytesSlope * perHour;
    const double error = std::sqrt(
        stack.test.bytesSlopeError * stack.test.bytesSlopeError + samplingVariance(ages, clock, stack.test.bytesSlope));
    const double half = 1.96 * error * perHour;
    stack.bytesPerHour95 = {stack.bytesPerHour - half, stack.bytesPerHour + half};
    stack.followedFrom = clock.origin + Duration{ages.bucket.ns * std::int64_t{ages.firstBucket}};
    return stack;
}

std::int64_t leakFloor(std::int64_t liveHeapBytes)
{
    return std::max(
        kLeastHeld, static_cast<std::int64_t>(std::llround(kLeastHeldShare * static_cast<double>(liveHeapBytes))));
}

bool isWorthTelling(const LeakStack &stack, std::int64_t floorBytes)
{
    const double held = stack.bytesPerHour95.low * kHorizonHours + static_cast<double>(stack.liveBytes);
    return stack.bytesPerHour95.high > 0 && held >= static_cast<double>(floorBytes);
}

std::string_view leakTierKey(LeakTier tier) { return kTierNames.at(static_cast<std::size_t>(tier)).key; }

std::string_view leakTierLabel(LeakTier tier) { return kTierNames.at(static_cast<std::size_t>(tier)).label; }

std::optional<LeakReport> findLeaks(const Snapshot &snapshot, std::stop_token stop)
{
    return Detector(snapshot, std::move(stop)).run();
}

std::shared_ptr<const LeakReport> leaksOf(const Snapshot &snapshot, const std::stop_token &stop)
{
    return snapshot.leaks.get(stop, [&] { return findLeaks(snapshot, stop); });
}

} // namespace model
