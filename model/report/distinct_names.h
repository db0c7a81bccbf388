// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/aggregate/function_index.h"
#include "model/aggregate/function_table.h"
#include "model/analysis/hot_paths.h"

#include <cstddef>
#include <string>
#include <vector>

namespace model {

/// A function in a row of a table.
struct NamedRow
{
    std::string name;  ///< whole
    std::string place; ///< what the row says beside it
};

/// Functions with their places: file and line, else the module.
std::vector<NamedRow> namedRows(const FunctionIndex &index, const std::vector<HotFunction> &functions);
std::vector<NamedRow> namedRows(const FunctionTable &table);

inline constexpr std::size_t kAnyColumns = 1 << 20; ///< more than any name has

/// How the functions of a table read: as shortFunctionName(), at most `columns` wide. Where two rows would look the same their names keep as much of the
/// template arguments as tells them apart, else all of the name, and are cut around where they differ. Same order as `rows`.
std::vector<std::string> distinctNames(const std::vector<NamedRow> &rows, std::size_t columns = kAnyColumns);

} // namespace model
