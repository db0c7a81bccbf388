// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/leak_scan_words.h"

#include "model/analysis/forecast_words.h"
#include "model/base/format_counted.h"
#include "model/base/format_units.h"

#include <fmt/format.h>

#include <algorithm>

namespace model {

namespace {

std::string amountText(const BlockSum &sum)
{
    return fmt::format("{} in {}", formatBytes(static_cast<double>(sum.bytes)), formatCounted(sum.blocks, "block"));
}

const ScannedStack *rowOf(const MemoryScan &scan, StackId stack)
{
    const auto row = std::find_if(
        scan.stacks.begin(), scan.stacks.end(), [stack](const ScannedStack &each) { return each.stack == stack; });
    return row == scan.stacks.end() ? nullptr : &*row;
}

/// Null where the image was not scanned.
const MemoryScan *lastScanOf(const Snapshot &snapshot, ImageId image)
{
    const auto last = std::find_if(
        snapshot.scans.rbegin(), snapshot.scans.rend(), [image](const auto &scan) { return scan->image == image; });
    return last == snapshot.scans.rend() ? nullptr : last->get();
}

std::string acquittalOf(const LeakTest &test)
{
    if (!test.hasPlateau)
        return "blocks of it that are old are still freed";
    if (!test.recurs)
        return "only few spans of time left blocks behind";
    return "its live blocks do not keep rising";
}

} // namespace

std::string scanOfSuspect(const Snapshot &snapshot, const LeakItem &item)
{
    const MemoryScan *scan = lastScanOf(snapshot, item.image);
    const bool isAccused = item.tier == LeakTier::Growing || item.tier == LeakTier::CouldBeCache;
    if (!scan || !isAccused)
        return {};
    ReachSums sums{};
    bool wasThere = false;
    for (const LeakStack &stack : item.stacks) {
        wasThere = wasThere || stack.followedFrom < scan->when;
        if (const ScannedStack *row = rowOf(*scan, stack.stack)) // what is not listed is plainly reachable
            for (std::size_t i = 0; i < kReachClassCount; ++i)
                sums[i] += row->sums[i];
    }
    if (!wasThere)
        return {};
    const auto sumOf = [&sums](ReachClass reach) { return sums[static_cast<std::size_t>(reach)]; };
    const std::string when = formatOffset(scan->when);
    BlockSum lost = sumOf(ReachClass::Indirectly);
    lost += sumOf(ReachClass::Directly);
    std::string text = lost.blocks > 0
        ? fmt::format("The scan at {} found {} of it lost, held by other lost blocks only: see Lost memory", when,
            amountText(lost))
        : fmt::format("The scan at {} found none of it lost: what grows is still held, as by a list that nobody clears "
                      "or a cache",
            when);
    if (const BlockSum possible = sumOf(ReachClass::Possibly); possible.blocks > 0)
        text += fmt::format("; to {} pointers lead only into the middle", amountText(possible));
    if (const BlockSum unjudged = sumOf(ReachClass::Unjudged); unjudged.blocks > 0)
        text += fmt::format("; {} could not be judged", amountText(unjudged));
    return text + '.';
}

std::string acquittalOfLost(const LeakItem &item)
{
    const auto isJudged = [](const LeakStack &stack) { return stack.ages && stack.test.isEnough; };
    const auto leaks = [](const LeakStack &stack) { return stack.test.leaks(); };
    const auto judged = std::find_if(item.stacks.begin(), item.stacks.end(), isJudged);
    if (item.tier != LeakTier::Lost || judged == item.stacks.end()
        || std::any_of(item.stacks.begin(), item.stacks.end(), leaks))
        return {};
    return fmt::format(
        "Its growth alone would accuse nobody: {}. What is lost stays lost all the same.", acquittalOf(judged->test));
}

std::string growthOfScanned(const Snapshot &snapshot, const MemoryScan &scan, StackId stack)
{
    if (!snapshot.heapAges)
        return {};
    const std::vector<AgeClock> &clocks = snapshot.heapAges->clocks;
    const std::vector<StackAges> &histories = snapshot.heapAges->stacks;
    const auto clock = std::find_if(
        clocks.begin(), clocks.end(), [&scan](const AgeClock &each) { return each.image == scan.image; });
    const auto ages = std::find_if(histories.begin(), histories.end(),
        [&](const StackAges &each) { return each.image == scan.image && each.stack == stack; });
    if (clock == clocks.end() || ages == histories.end())
        return {};
    const LeakStack judged = judgedStack(*ages, *clock);
    if (judged.test.leaks())
        return fmt::format("By the ages of its blocks, which Leaks judges, this stack keeps {}{}.",
            rateText(judged.bytesPerHour, judged.bytesPerHour95, Unit::Bytes),
            judged.test.couldBeCache() ? ", and could be a cache" : "");
    const ScannedStack *row = rowOf(scan, stack);
    const auto blocksOf = [row](ReachClass reach) { return row->sums[static_cast<std::size_t>(reach)].blocks; };
    const bool isLost = row && blocksOf(ReachClass::Directly) + blocksOf(ReachClass::Indirectly) > 0;
    return !isLost || !judged.test.isEnough
        ? std::string()
        : fmt::format(
            "By the ages of its blocks, which Leaks judges, this stack does not keep growing: {}. What is lost "
            "stays lost all the same.",
            acquittalOf(judged.test));
}

} // namespace model
