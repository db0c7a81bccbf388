// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace tests {

/// One file of the source tree.
struct SourceFile
{
    std::string path; ///< Relative to the root, with forward slashes.
    std::string text; ///< The whole file.
};

/// One `#include` directive.
struct Include
{
    std::size_t line = 0; ///< Counted from 1.
    std::string name;     ///< What stands between the quotes or brackets.
    bool quoted = false;  ///< "name" rather than <name>.
};

/// C++ source with comments and the insides of literals blanked out, line by line as before. The names of
/// `#include` directives stay, so that a directive inside a comment or a raw string is not one.
std::string codeOnly(std::string_view source);

/// The `#include` directives of C++ source, in order.
std::vector<Include> includesOf(std::string_view source);

/// The number of lines, as `wc -l` counts plus one for a last line without its end.
std::size_t lineCount(std::string_view text);

/// The line (counted from 1) on which the character at `offset` stands.
std::size_t lineAt(std::string_view text, std::size_t offset);

} // namespace tests
