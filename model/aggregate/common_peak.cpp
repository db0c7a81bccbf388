// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/aggregate/common_peak.h"

#include "model/aggregate/most_at_once.h"
#include "model/base/wrapping_sum.h"

#include <algorithm>

namespace model {

namespace {

/// What images hold: stays[i] is that of parts[i].
struct Holds
{
    std::vector<Stay> stays;
    std::vector<PeakPart> parts;
};

void addHolds(std::size_t index, const HeapLife &life, TimeRange window, Holds &holds)
{
    const HeapSeries &series = *life.series;
    if (series.spans.empty())
        return;
    // Clocks of two sources may put an image's first or last row outside of its life: it had lived in each for a moment.
    const std::int64_t beginNs = std::min(life.begin.ns, series.spans.front().end.ns - 1);
    const std::int64_t endNs = life.end ? std::max(life.end->ns, series.spans.back().begin.ns + 1) : window.end.ns;
    const auto add = [&](std::int64_t fromNs, std::int64_t toNs, std::size_t row, bool isInRow) {
        const HeapTick &tick = series.ticks[row];
        fromNs = std::max({fromNs, beginNs, window.begin.ns});
        toNs = std::min({toNs, endNs, window.end.ns});
        if (fromNs >= toNs)
            return;
        const std::int64_t bytes = isInRow ? tick.mostLiveBytes : tick.liveBytes;
        holds.stays.push_back({fromNs, toNs, static_cast<double>(bytes)});
        holds.parts.push_back({index, row, isInRow, bytes});
    };
    for (std::size_t row = 0; row < series.ticks.size(); ++row) {
        const bool isLast = row + 1 == series.ticks.size();
        add(series.spans[row].begin.ns, series.spans[row].end.ns, row, true);
        add(series.spans[row].end.ns, isLast ? std::max(endNs, window.end.ns) : series.spans[row + 1].begin.ns, row,
            false);
    }
}

} // namespace

std::optional<HeapSeries> withoutJumps(
    const HeapSeries &series, std::span<const HeapModeChange> changes, TimeRange window)
{
    std::vector<const HeapModeChange *> thinnings;
    for (const HeapModeChange &change : changes)
        if (change.image == series.image && change.liveVariance > 0 && window.begin < change.when
            && change.when <= window.end)
            thinnings.push_back(&change);
    if (thinnings.empty())
        return std::nullopt;
    HeapSeries result = series;
    std::size_t next = 0;
    std::int64_t found = 0, highest = 0;
    for (std::size_t row = 0; row < result.ticks.size(); ++row) {
        if (result.spans[row].end <= window.begin)
            continue;
        HeapTick &tick = result.ticks[row];
        bool isChanged = false;
        for (; next < thinnings.size() && thinnings[next]->when <= result.spans[row].end; ++next) {
            const HeapModeChange &change = *thinnings[next];
            addWrapping(found, change.liveBytesAfter);
            subtractWrapping(found, change.liveBytesBefore);
            found = std::max<std::int64_t>(found, 0);
            isChanged = true;
        }
        std::int64_t most = tick.mostLiveBytes;
        subtractWrapping(most, found);
        if (!isChanged && most > highest)
            found = 0;
        subtractWrapping(tick.mostLiveBytes, found);
        subtractWrapping(tick.liveBytes, found);
        highest = std::max(highest, tick.mostLiveBytes);
    }
    return result;
}

CommonPeak commonPeak(std::span<const HeapLife> lives, TimeRange window)
{
    Holds holds;
    for (std::size_t i = 0; i < lives.size(); ++i)
        addHolds(i, lives[i], window, holds);
    CommonPeak peak;
    if (const std::optional<std::int64_t> moment = mostAtOnce(holds.stays)) {
        peak.when = {*moment};
        for (std::size_t i = 0; i < holds.stays.size(); ++i)
            if (holds.stays[i].lastsAt(*moment))
                peak.parts.push_back(holds.parts[i]);
    }
    return peak;
}

} // namespace model
