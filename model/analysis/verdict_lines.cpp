// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/verdict_lines.h"

#include "model/analysis/leak_detector.h"
#include "model/analysis/summary.h"

#include <fmt/format.h>

#include <algorithm>

namespace model {

namespace {

std::string lineOf(std::string_view question, const SummaryCard &card)
{
    return fmt::format("{}: {}{}", question, card.number,
        card.state == CardState::Ok || card.qualifier.empty() ? "" : " (" + card.qualifier + ")");
}

} // namespace

std::vector<std::string> verdictLines(const Snapshot &snapshot)
{
    std::vector<std::string> lines;
    if (snapshot.heapAges) {
        if (const std::optional<LeakReport> found = findLeaks(snapshot); found && found->state == LeakReport::State::Done) {
            const auto growing = std::count_if(found->items.begin(), found->items.end(),
                [](const LeakItem &item) { return item.tier == LeakTier::Growing; });
            lines.push_back(growing == 0
                    ? "leaks: nothing found"
                    : fmt::format("leaks: {} {}", growing, growing == 1 ? "place grows" : "places grow"));
        }
    }
    const std::optional<Summary> answers = summary(snapshot);
    if (!answers)
        return lines;
    for (const SummaryCard &card : answers->cards) {
        if (card.state == CardState::Unknown)
            continue;
        if (card.title == "Growth")
            lines.push_back(lineOf("growth", card));
        if (card.title == "Forecast")
            lines.push_back(lineOf("forecast", card));
    }
    return lines;
}

} // namespace model
