// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/soak_places.h"

#include "model/aggregate/time_series.h"
#include "model/analysis/growth_stacks.h"
#include "model/analysis/leak_places.h"
#include "model/analysis/soak_trial.h"
#include "model/base/format_units.h"

#include <fmt/format.h>

#include <algorithm>

namespace model {

std::optional<TimeRange> soakGrowthSpan(const Snapshot &snapshot)
{
    if (!snapshot.soak || !snapshot.soak->plan || snapshot.soak->legs.empty())
        return std::nullopt;
    const SoakLeg &leg = snapshot.soak->legs.back();
    const SoakAnswer answer = SoakTrial(*snapshot.soak).answer();
    double hours = 0;
    if (!answer.segments.empty() && answer.segments.back().id == leg.segment)
        for (const SoakJudgement &judgement : answer.segments.back().judgements)
            if (judgement.isJudged)
                hours = std::max(hours, judgement.verdict.startHours);
    const Timestamp end = Timestamp{} + snapshot.info.duration;
    const Timestamp begin{static_cast<std::int64_t>(hours / 48 * static_cast<double>(snapshot.soak->plan->length.ns))
        - timeBetween(*firstLegOf(snapshot.soak->legs, leg.segment), leg).ns};
    return TimeRange{std::clamp(begin, Timestamp{}, end), end};
}

std::vector<SoakPlace> soakPlaces(const Snapshot &snapshot, std::size_t most)
{
    std::vector<SoakPlace> places;
    std::vector<StackId> named;
    if (snapshot.heapAges)
        if (const auto leaks = leaksOf(snapshot))
            for (const LeakItem &item : leaks->items) {
                if (item.tier == LeakTier::Idle || places.size() >= most)
                    continue;
                places.push_back({item.place, item.where, fmt::format("{}: {}.", leakTierLabel(item.tier), item.title),
                    item.image, item.stacks.front().stack, true});
                for (const LeakStack &stack : item.stacks)
                    named.push_back(stack.stack);
            }
    FunctionIndex functions(snapshot.tables);
    LeakPlaces own(functions);
    for (const HeapCost &cost : snapshot.heap)
        own.learn(cost.stack);
    // What grew during the warm-up is no growth.
    const Snapshot &judged = snapshot.afterWarmup ? *snapshot.afterWarmup : snapshot;
    for (const GrowthStack &stack : growthStacks(judged, timeSeries(judged, Metric::Anonymous), most)) {
        if (places.size() >= most || std::find(named.begin(), named.end(), stack.stack) != named.end())
            continue;
        const StackLine &line = own.placeOf(stack.stack);
        const std::string function = shortFunctionName(line.name);
        const bool isNamed = std::any_of(
            places.begin(), places.end(), [&](const SoakPlace &place) { return place.function == function; });
        if (isNamed)
            continue;
        places.push_back({function, shortPlace(line.file, line.line),
            fmt::format("Its live bytes grew by {}, {} of what the anonymous memory grew by, and with it (r = {:.2f}).",
                formatBytes(static_cast<double>(stack.grownBytes)), formatShare(stack.share), stack.correlation),
            stack.image, stack.stack, false});
    }
    return places;
}

} // namespace model
