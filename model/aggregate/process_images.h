// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/tables/program_tables.h"

#include <vector>

namespace model {

/// The images of each process, by the process's index, in the order in which it ran them. (The table has them in the order in which
/// they were noticed.)
std::vector<std::vector<ImageId>> imagesByProcess(const ProgramTables &tables);

/// Whether it runs no more: its process has ended, or executed another program.
bool hasEnded(const ProgramTables &tables, ImageId image);

} // namespace model
