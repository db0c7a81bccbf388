// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "app/passphrase.h"
#include "model/base/units.h"
#include "model/compare/compared_costs.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace app {

enum class CompareFormat : std::uint8_t { Text, Csv, Json, Markdown };

/// `genprof compare`.
struct CompareOptions
{
    std::array<std::string, 2> files;                   ///< may be the same, for two windows of one session
    std::array<std::optional<model::Duration>, 2> from; ///< by side, since the begin of the recording
    std::array<std::optional<model::Duration>, 2> to;
    std::vector<model::ComparableCost> costs;
    model::Normalisation normalisation;
    CompareFormat format = CompareFormat::Text;
    std::size_t top = 0; ///< rows of a list; 0: 10 in text and Markdown, else all
    std::string output;  ///< empty: standard output
    PassphraseSource passphrase;
};

} // namespace app
