// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/passphrase.h"
#include "model/base/units.h"
#include "model/compare/compared_costs.h"
#include "model/gate/gate_key.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace app {

enum class CompareFormat : std::uint8_t { Text, Csv, Json, Markdown, Html };

/// `genprof compare`.
struct CompareOptions
{
    std::array<std::string, 2> files;                   ///< may be the same, for two windows of one session
    std::array<std::optional<model::Duration>, 2> from; ///< by side, since the begin of the recording
    std::array<std::optional<model::Duration>, 2> to;
    std::vector<model::ComparableCost> costs;
    model::Normalisation normalisation;
    CompareFormat format = CompareFormat::Text;
    std::size_t top = 0; ///< rows of a list; 0: 10 in text, Markdown and HTML, else all
    std::string output;  ///< empty: standard output
    PassphraseSource passphrase;
};

/// Where baselines lie and what a new one is told about.
struct BaselineOptions
{
    enum class Action : std::uint8_t { Save, List, Show, Remove };
    Action action = Action::List;
    std::string name; ///< of the baseline, or the path of its file
    std::string folder = "genprof-baselines";
    std::string branch; ///< empty: as CI's variables or git tell
    std::string commit;
    std::string reason;
    std::size_t runs = 10; ///< plain runs for times
    std::vector<std::string> command;
    bool asJson = false;
    bool isQuiet = false; ///< save: say failures only
};

/// `genprof gate`.
struct GateOptions
{
    std::vector<std::string> command;
    std::vector<std::string> against; ///< command of the base; empty: a baseline
    BaselineOptions baseline;         ///< `name` empty: named after the program
    std::size_t runs = 20;            ///< most pairs of plain runs
    model::GateLimits limits = model::usualGateLimits();
    bool hasTimeLimits = false;    ///< the user gave limits of times, so that a baseline's are judged
    bool isByLimits = false;       ///< no base: only values that must not be exceeded
    bool printsLimits = false;     ///< instead of running anything
    std::optional<int> skipStatus; ///< exit status where nothing is wrong, but what has a limit cannot be measured here
    bool isUpdate = false;         ///< store what was measured as the baseline
    std::string sessions;          ///< folder in which to keep the recordings; empty: they go
    std::string text;              ///< files for the answer; empty: standard output for text, none for the others
    std::string json;
    std::string markdown;
    std::string junit;
    std::string sarif;
    bool isQuiet = false;
};

} // namespace app
