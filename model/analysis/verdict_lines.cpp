// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/verdict_lines.h"

#include "model/aggregate/unrecorded_heap.h"
#include "model/analysis/leak_detector.h"
#include "model/analysis/summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <tuple>

namespace model {

namespace {

std::string lineOf(std::string_view question, const SummaryCard &card)
{
    return fmt::format("{}: {}{}", question, card.number,
        card.state == CardState::Ok || card.qualifier.empty() ? "" : " (" + card.qualifier + ")");
}

std::string leakLine(const LeakReport &found)
{
    constexpr std::array<std::tuple<LeakTier, const char *, const char *>, 3> kTiers{
        {{LeakTier::Lost, "place lost memory", "places lost memory"}, {LeakTier::Growing, "place grows", "places grow"},
            {LeakTier::CouldBeCache, "could be a cache", "could be caches"}}};
    std::string text;
    for (const auto &[tier, one, many] : kTiers) {
        const auto count = std::count_if(
            found.items.begin(), found.items.end(), [&](const LeakItem &item) { return item.tier == tier; });
        if (count > 0)
            text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, count == 1 ? one : many);
    }
    return "leaks: " + (text.empty() ? std::string("nothing found") : text);
}

} // namespace

std::vector<std::string> verdictLines(const Snapshot &snapshot)
{
    std::vector<std::string> lines;
    if (snapshot.info.config.heap != HeapMode::Off && !isHeapRecorded(snapshot)) {
        lines.emplace_back("leaks: not known, the heap could not be traced");
    } else if (snapshot.heapAges) {
        if (const std::shared_ptr<const LeakReport> found = leaksOf(snapshot);
            found && found->state == LeakReport::State::Done) {
            lines.push_back(leakLine(*found));
        }
    }
    const std::optional<Summary> answers = summary(snapshot);
    if (!answers)
        return lines;
    for (const SummaryCard &card : answers->cards) {
        if (card.number == kNotKnown)
            continue;
        if (card.title == "Growth")
            lines.push_back(lineOf("growth", card));
        if (card.title == "Forecast")
            lines.push_back(lineOf("forecast", card));
    }
    return lines;
}

} // namespace model
