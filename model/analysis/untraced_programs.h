// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/analysis/coverage.h"
#include "model/tables/program_tables.h"

#include <cstddef>
#include <string>
#include <vector>

namespace model {

/// Programs that are not (wholly) traced for the same reason: one item, however many there are.
struct UntracedPrograms
{
    Trust trust = Trust::Partial;   ///< Partial: not traced at all
    std::string why;                ///< without a full stop
    std::vector<std::string> names; ///< paths, each once
    std::size_t images = 0;

    /// "Heap of A, B, C and 4 more (500 processes): why".
    std::string what() const;
    /// "their allocations are not (all) in the totals".
    std::string effect() const;
};

/// In the order in which they began, those with an allocator of their own first.
std::vector<UntracedPrograms> untracedPrograms(const ProgramTables &tables);

/// The path of an image; a program that ended before its name was read is known by its number alone.
std::string pathOrNumber(const ProgramTables &tables, const Image &image);

/// Of how many programs the heap was to be traced, and of how many it was. A forked copy that executes nothing is no program more, but where it was not
/// traced.
struct TracedPrograms
{
    std::size_t traced = 0;
    std::size_t all = 0;
};
TracedPrograms tracedPrograms(const ProgramTables &tables);

} // namespace model
