// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/base/format_units.h"

#include <string>

namespace model {

enum class Sign : std::uint8_t { WhereNegative, Always };

/// Both ends in one unit and with as many decimals each: "3.7–4.6" and " MiB/h"; "to" in place of the dash where an end has a sign.
struct IntervalParts
{
    std::string numbers;
    std::string unit;
    double factor = 1; ///< of the unit
};
/// Three significant digits of the greater end at most, up to five where the ends would look alike. Counts may have decimals: they are estimates.
IntervalParts intervalParts(double low, double high, Unit unit, Sign sign = Sign::WhereNegative);
/// "3.7–4.6 MiB/h", "−97.5 to −82.4 %"; one number where both ends look the same.
std::string formatInterval(double low, double high, Unit unit, Sign sign = Sign::WhereNegative);
/// "2 h 50 min – 3 h 30 min", "1.2–3.4 s".
std::string formatInterval(Duration low, Duration high);
/// A value as formatValue() wrote it, and its interval: "4.1 MiB/h (3.7–4.6)", "1008 MiB/h (0.98–1.07 GiB/h)"; the value alone where the
/// interval says nothing more.
std::string withInterval(const std::string &value, const IntervalParts &interval);

} // namespace model
