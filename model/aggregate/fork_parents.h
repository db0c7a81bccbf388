// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/tables/program_tables.h"

#include <vector>

namespace model {

/// By process, the one whose pages it began with: its parent, if it was forked and never executed a program of its own. Invalid for all others, and
/// where the parent is not of the session. Time O(images).
std::vector<ProcessId> forkParents(const ProgramTables &tables);

} // namespace model
