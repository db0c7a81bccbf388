// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/base/format_units.h"

#include <optional>
#include <string>
#include <string_view>

namespace app {

/// Understands an amount as people write it: bytes in binary units ("1.5GiB", "64K"; also per second or hour where the unit is that),
/// "80%" or "80" for percent, plain numbers, lengths of time as parseDuration() does. Empty: it is no such amount.
std::optional<double> parseAmount(std::string_view text, model::Unit unit);

/// How an amount of this unit is written, for an error: "bytes, such as \"512MiB\"".
std::string amountExample(model::Unit unit);

} // namespace app
