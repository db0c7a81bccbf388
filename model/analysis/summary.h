// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/aggregate/time_series.h"
#include "model/analysis/coverage.h"
#include "model/analysis/forecast.h"
#include "model/analysis/recommendations.h"

#include <optional>
#include <stop_token>
#include <string>
#include <vector>

namespace model {

enum class CardState : std::uint8_t {
    Unknown, ///< the data cannot carry an answer
    Ok,
    Warn,
    Danger,
};

/// The page that holds a card's evidence.
enum class CardPage : std::uint8_t { Heap, Areas, Cpu, SystemCalls, Waits, HeatMap, Forecast, Recommendations, Losses };

/// An answer of the overview.
struct SummaryCard
{
    std::string title; ///< "Growth"
    CardState state = CardState::Ok;
    std::string number;    ///< "+4.1 MiB/h", "61 %", "nothing found"
    std::string qualifier; ///< beside the number: its interval or what it is of; may be empty
    std::string sentence;  ///< the answer
    CardPage page = CardPage::Heap;
    std::optional<CostKind> cost;    ///< which of the page's costs the answer is about; empty: none in particular
    std::string action;              ///< text of the button: "Show the evidence"
    std::optional<TimeSeries> spark; ///< over the whole recording
};

/// The number of a card of state Unknown whose question has no answer at all. Others of that state have one, but too little was looked at to
/// call it good.
inline constexpr const char *kNotKnown = "not known";

/// The overview: at most six cards, in a fixed order (growth, forecast, CPU, allocations, memory, capture), those without data left out.
struct Summary
{
    std::vector<SummaryCard> cards;
    Recommendations recommendations; ///< what the cards were made from
    Forecast forecast;               ///< of the resident memory
    Coverage coverage;
};

/// Answers the overview's questions. Pure. Returns nothing when `stop` was requested.
std::optional<Summary> summary(const Snapshot &snapshot, std::stop_token stop = {});

} // namespace model
