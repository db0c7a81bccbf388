// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/compare/comparison.h"

#include <string>
#include <string_view>

namespace model {

/// A cost in its unit: "1.5 MiB", "1,204", "12 ms"; of counts divided by work up to three digits.
std::string costText(double cost, Unit unit);
/// The change in its unit with its sign: "+1.5 MiB", "-12", "0".
std::string changeText(const Difference &difference, Unit unit);
/// The change as a share of the first: "+12.5 %", "-3 %", "new", "gone", "0 %"; of ten times and more the ratio: "× 12.5".
std::string relativeText(const Difference &difference);
/// The interval of that, of estimates: "+8 … +17 %"; empty where it is exact or not known.
std::string relativeIntervalText(const Difference &difference, Certainty certainty);
/// A share with its sign: "+12.5 %".
std::string signedShare(double share);
/// A Markdown table's cell: pipes, angle brackets, backticks, asterisks and line ends cannot be taken for markup.
std::string markdownCell(std::string_view text);

/// What stands above the functions that answer for a cost: "function (self)", of a heap "function that asked".
std::string_view functionHeading(CostKind kind);

/// "  (3 functions)" of a row that is about several; empty of one.
std::string severalFunctionsText(const FunctionDifference &row);

/// Why no difference of a cost of Certainty::Unknown is called one, as the end of a sentence: "how much waits vary from run to run is not known".
std::string_view whyNotJudged(CostKind kind);

/// "exact", "estimated", "unknown".
std::string_view certaintyKey(Certainty certainty);

} // namespace model
