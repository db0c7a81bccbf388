// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/aggregate/activity_totals.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <tuple>

namespace model {

ActivityTotal &ActivityTotal::operator+=(const ActivityCost &row)
{
    count += row.count;
    timeNs += row.timeNs;
    errors += row.errors;
    bytes += row.bytes;
    ownStacks += row.ownStacks;
    estimated += row.estimated;
    return *this;
}

std::vector<ActivityTotal> activityTotals(const Snapshot &snapshot, CostSource source)
{
    std::map<Activity, ActivityTotal> sums;
    for (const ActivityCost &row : snapshot.activities)
        if (row.activity.isWait() == (source == CostSource::Wait))
            (sums[row.activity] += row).activity = row.activity;
    std::vector<ActivityTotal> totals;
    for (const auto &[activity, total] : sums)
        totals.push_back(total);
    std::stable_sort(totals.begin(), totals.end(), [source](const ActivityTotal &a, const ActivityTotal &b) {
        return source == CostSource::Wait ? std::tuple(a.timeNs, a.count) > std::tuple(b.timeNs, b.count)
                                          : std::tuple(a.count, a.timeNs) > std::tuple(b.count, b.timeNs);
    });
    return totals;
}

bool isRecorded(const Snapshot &snapshot, CostSource source)
{
    const auto isOfIt
        = [source](const ActivityCost &row) { return row.activity.isWait() == (source == CostSource::Wait); };
    return isRecorded(snapshot.info, source)
        && (snapshot.info.activityNote.empty()
            || std::any_of(snapshot.activities.begin(), snapshot.activities.end(), isOfIt));
}

std::string whyNotRecorded(const Snapshot &snapshot, CostSource source)
{
    if (isRecorded(snapshot, source))
        return {};
    const char *what = source == CostSource::Wait ? "Waits" : "System calls";
    return isRecorded(snapshot.info, source)
        ? fmt::format("{} were not recorded. {}", what, snapshot.info.activityNote)
        : fmt::format("{} were not recorded; genprof record {} does.", what, optionFor(source));
}

std::int64_t activityTotal(const Snapshot &snapshot, CostKind kind)
{
    std::int64_t sum = 0;
    for (const ActivityCost &row : snapshot.activities)
        sum += costOf(row, kind);
    return sum;
}

OwnStacks ownStacks(const Snapshot &snapshot, CostSource source)
{
    OwnStacks sum;
    for (const ActivityCost &row : snapshot.activities)
        if (row.activity.isWait() == (source == CostSource::Wait)) {
            sum.copied += row.ownStacks;
            sum.all += row.count;
        }
    return sum;
}

} // namespace model
