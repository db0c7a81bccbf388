// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/snapshot.h"

#include <string>
#include <vector>

namespace model {

/// What is found out about memory when a recording has ended, a line an answer ("leaks: 2 places grow, 1 could be a cache", "growth: nothing found"), for the
/// list of sessions; no names of functions, so that it may stand beside redacted sessions. Questions that the data cannot carry have no line.
/// `snapshot` is of the whole recording; leaks are answered when it holds ages. Pure.
std::vector<std::string> verdictLines(const Snapshot &snapshot);

} // namespace model
