// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/analysis/done_advice.h"

#include <string>
#include <string_view>
#include <vector>

namespace model {

/// As a session keeps them: JSON, an object a line, in their order.
std::string doneAdviceText(const std::vector<DoneAdvice> &done);
/// Reads that back; lines that are none of ours are left out.
std::vector<DoneAdvice> doneAdviceOf(std::string_view text);

/// "measured: 31 % of the CPU time (95 %: 28 % … 34 %) in b.gprof-session; inside what was expected".
std::string measuredGainText(const MeasuredGain &measured, GainKind kind);

} // namespace model
