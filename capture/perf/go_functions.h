// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <vector>

namespace capture {

/// The code of a function, in the addresses of its file.
struct CodeRange
{
    std::uint64_t begin = 0, end = 0;
};

/// The functions of Go's runtime that a stack ends in: nobody called them, or from another stack. Ascending. Found in Go's own table of functions
/// (.gopclntab, from Go 1.18 on), which stripped programs have, too; `text` is the address of the file's .text. Empty for what is no such table.
std::vector<CodeRange> goStackBottoms(const std::vector<std::uint8_t> &table, std::uint64_t text);

} // namespace capture
