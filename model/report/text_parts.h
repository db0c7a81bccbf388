// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/aggregate/function_index.h"
#include "model/aggregate/stack_text.h"
#include "model/report/text_report.h"

#include <iosfwd>
#include <string>
#include <string_view>

namespace model {

// Parts that several text reports share.

/// Command, pid, start, length and, where it is not everything, the selection.
void writeTitle(std::ostream &out, const Snapshot &snapshot, const TextReportOptions &options);
/// A section's name on a line of its own, with an empty line before it.
void writeHeading(std::ostream &out, std::string_view text);
/// How many rows of a list the summary shows: what was asked for, else the list's own number.
std::size_t mostRows(const TextReportOptions &options, std::size_t usual);
/// What of a list of `count` is not among the `most` rows above, if anything.
void writeRest(std::ostream &out, std::size_t count, std::size_t most, std::string_view what);
/// Why there is no value over time to judge.
std::string nothingToJudge(const Snapshot &snapshot);
/// The frames of a stack, leaf first, each with its place on the right.
void writeFrames(std::ostream &out, FunctionIndex &index, StackId stack, std::size_t columns);
/// What cannot be trusted and why, or that nothing was lost.
void writeTrust(std::ostream &out, const Snapshot &snapshot, const TextReportOptions &options);

} // namespace model
