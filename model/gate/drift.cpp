// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/gate/drift.h"

#include "model/report/difference_words.h"

#include <fmt/format.h>

namespace model {

namespace {

constexpr std::size_t kMostEntries = 200;

Drift seriesOf(const History &history, GateKey key)
{
    Drift drift{.key = key};
    const BaselineOrigin &last = history.entries.back().origin;
    const std::size_t first = history.entries.size() > kMostEntries ? history.entries.size() - kMostEntries : 0;
    for (std::size_t i = first; i < history.entries.size(); ++i) {
        const HistoryEntry &entry = history.entries[i];
        const auto value = entry.values.find(key);
        const bool isTime = gateKeyInfo(key).source == GateSource::Time;
        if (value == entry.values.end() || entry.origin.branch != last.branch
            || (isTime && entry.origin.machine != last.machine))
            continue;
        drift.values.push_back(value->second);
        drift.entries.push_back(i);
    }
    return drift;
}

std::string commitOf(const HistoryEntry &entry)
{
    constexpr std::size_t kShort = 9;
    return entry.origin.commit.empty() ? entry.origin.date : entry.origin.commit.substr(0, kShort);
}

} // namespace

std::vector<Drift> findDrift(const History &history, double least)
{
    std::vector<Drift> found;
    if (history.entries.empty())
        return found;
    for (const GateKeyInfo &info : kGateKeys) {
        Drift drift = seriesOf(history, info.key);
        drift.changes = changePoints(drift.values);
        if (drift.changes.empty() || drift.changes.front().before <= 0)
            continue;
        drift.growth = drift.changes.back().after / drift.changes.front().before - 1;
        if (drift.growth >= least)
            found.push_back(std::move(drift));
    }
    return found;
}

std::string driftText(const Drift &drift, const History &history)
{
    std::string text = fmt::format(
        "{} grew by {} over {} saves:", gateKeyInfo(drift.key).label, formatShare(drift.growth), drift.values.size());
    for (const ChangePoint &change : drift.changes)
        text += fmt::format("{} {} at {}", &change == &drift.changes.front() ? "" : ",",
            change.before > 0 ? signedShare(change.after / change.before - 1) : "new",
            commitOf(history.entries[drift.entries[change.position]]));
    return text;
}

} // namespace model
