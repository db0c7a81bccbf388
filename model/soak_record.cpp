// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/soak_record.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <utility>

namespace model {

namespace {

constexpr std::array<std::string_view, kSoakQuantityCount> kQuantityKeys{"rss", "anonymous", "live_heap"};
constexpr std::array<std::string_view, kSoakQuantityCount> kQuantityLabels{
    "Resident memory", "Anonymous memory", "Live heap"};
constexpr std::array<std::string_view, 6> kOutcomeKeys{
    "running", "stable", "leaking", "undecided", "target_failed", "load_failed"};

template <typename Row> void append(std::vector<Row> &rows, std::vector<Row> more)
{
    rows.insert(rows.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

template <typename Row> void replace(std::vector<Row> &rows, std::vector<Row> more)
{
    for (Row &row : more) {
        const auto at = std::lower_bound(
            rows.begin(), rows.end(), row.id, [](const Row &known, std::uint32_t id) { return known.id < id; });
        if (at != rows.end() && at->id == row.id)
            *at = std::move(row);
        else
            rows.insert(at, std::move(row));
    }
}

} // namespace

std::string_view soakQuantityKey(SoakQuantity quantity) { return kQuantityKeys.at(static_cast<std::size_t>(quantity)); }

std::string_view soakQuantityLabel(SoakQuantity quantity)
{
    return kQuantityLabels.at(static_cast<std::size_t>(quantity));
}

std::string_view soakOutcomeKey(SoakOutcome outcome) { return kOutcomeKeys.at(static_cast<std::size_t>(outcome)); }

Duration timeBetween(const SoakLeg &first, const SoakLeg &later)
{
    const bool isSameBoot = first.beganBootNs > 0 && later.beganBootNs > 0 && first.boot == later.boot;
    return {isSameBoot ? later.beganBootNs - first.beganBootNs : later.beganWallNs - first.beganWallNs};
}

const SoakLeg *firstLegOf(const std::vector<SoakLeg> &legs, std::uint32_t segment)
{
    const auto leg
        = std::find_if(legs.begin(), legs.end(), [segment](const SoakLeg &one) { return one.segment == segment; });
    return leg == legs.end() ? nullptr : &*leg;
}

Duration soakTick(Duration length)
{
    return std::clamp(Duration{length.ns / 576}, Duration::fromMs(40), Duration::fromMs(1000));
}

void SoakRecord::merge(SoakRecord next)
{
    if (next.plan)
        plan = next.plan;
    if (next.end)
        end = std::move(next.end);
    replace(legs, std::move(next.legs));
    replace(loads, std::move(next.loads));
    append(points, std::move(next.points));
    append(exclusions, std::move(next.exclusions));
    append(checks, std::move(next.checks));
}

} // namespace model
