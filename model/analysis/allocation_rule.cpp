// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/aggregate/own_code.h"
#include "model/analysis/rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace model {

namespace {

constexpr double kHotShare = 0.05;      ///< of all allocations: the place is hot
constexpr double kTemporaryShare = 0.1; ///< of the place's allocations
constexpr std::int64_t kLeastCount = 1000;
constexpr double kEveryStackShare = 0.001; ///< stacks with fewer of all temporaries are not looked up
constexpr std::size_t kMostItems = 5;

struct Place
{
    StackLine line;
    const HeapCost *heaviest = nullptr;
    std::int64_t allocations = 0;
    std::int64_t temporaries = 0;
    std::int64_t temporaryBytes = 0;
};

Recommendation itemFor(const Place &place, const HeapSummary &all, Duration seen)
{
    const auto temporaries = static_cast<double>(place.temporaries);
    const double shareOfAll = temporaries / static_cast<double>(all.allocations);
    const double rate = temporaries / std::max(seen.seconds(), 1e-3);
    const double meanBytes = static_cast<double>(place.temporaryBytes) / temporaries;
    const std::string name = shortFunctionName(place.line.name);
    Recommendation item{.rule = Rule::TemporaryAllocations,
        .title = fmt::format("{} makes {} of all allocations, {} of its own are temporary", name,
            formatShareOf(place.allocations, all.allocations), formatShareOf(place.temporaries, place.allocations)),
        .place = name,
        .where = shortPlace(place.line.file, place.line.line),
        .module = place.line.moduleName,
        .stack = place.heaviest->stack,
        .image = place.heaviest->image,
        .cost = CostKind::Temporary,
        .gainKind = GainKind::AllocationShare,
        .gain = {shareOfAll * 0.5, shareOfAll},
        .confidence = 0.8,
        .effort = 2,
        .advice = meanBytes <= 64
            ? "Its blocks are small and freed at once: keep them on the stack, pass views instead of copies, or reuse "
              "one object."
            : "Reuse one buffer from call to call, or reserve the size that is needed before filling it.",
        .check = "Record again: allocations per second should fall by this share.",
        .caution
        = "Fewer allocations make the program faster only where it spends time in malloc and free; see the CPU page."};
    item.evidence.push_back({"temporary allocations", temporaries, {}, Unit::Count, formatCount(place.temporaries)});
    item.evidence.push_back({"share of its allocations", 100 * temporaries / static_cast<double>(place.allocations), {},
        Unit::Percent, formatShareOf(place.temporaries, place.allocations)});
    item.evidence.push_back({"share of all allocations", 100 * shareOfAll, {}, Unit::Percent, formatShare(shareOfAll)});
    item.evidence.push_back({"rate", rate, {}, Unit::PerSecond, formatValue(rate, Unit::PerSecond)});
    item.evidence.push_back({"mean size", meanBytes, {}, Unit::Bytes, formatBytes(meanBytes)});
    return item;
}

} // namespace

bool findTemporaryAllocations(const RuleInput &input, Recommendations &found)
{
    const HeapSummary &all = input.snapshot.heapSummary;
    if (input.snapshot.info.config.heap == HeapMode::Off) {
        found.notLookedAt.emplace_back("Temporary allocations: the heap was not recorded.");
        return true;
    }
    std::map<std::string, Place> places;
    const auto least = static_cast<double>(all.allocations) * kEveryStackShare;
    for (const HeapCost &row : input.snapshot.heap) {
        if (input.stop.stop_requested())
            return false;
        if (static_cast<double>(row.allocations) < least || row.allocations == 0)
            continue;
        const StackLine line = ownLine(input.functions, row.stack);
        Place &place = places[line.modulePath + '\n' + line.name];
        if (place.heaviest == nullptr || row.temporaries > place.heaviest->temporaries) {
            place.heaviest = &row;
            place.line = line;
        }
        place.allocations += row.allocations;
        place.temporaries += row.temporaries;
        place.temporaryBytes += row.temporaryBytes;
    }
    std::vector<const Place *> hot;
    for (const auto &[key, place] : places) {
        const double share = static_cast<double>(place.allocations) / static_cast<double>(all.allocations);
        const double temporary = static_cast<double>(place.temporaries) / static_cast<double>(place.allocations);
        if (share >= kHotShare && temporary >= kTemporaryShare && place.temporaries >= kLeastCount)
            hot.push_back(&place);
    }
    std::stable_sort(
        hot.begin(), hot.end(), [](const Place *a, const Place *b) { return a->temporaries > b->temporaries; });
    hot.resize(std::min(hot.size(), kMostItems));
    for (const Place *place : hot)
        found.items.push_back(itemFor(*place, all, input.snapshot.span.length()));
    return true;
}

} // namespace model
