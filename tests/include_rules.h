// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tests {

/// Where a header that stands between angle brackets comes from.
enum class HeaderOrigin {
    Freestanding, ///< C++ standard header that needs no libstdc++ at run time.
    Standard,     ///< Any other C++ standard header.
    Posix,        ///< libc, POSIX, the kernel, and the compiler's own.
    Fmt,
    BoostMath,
    Qt,
    Sqlite,
    Sodium,
    Symbols, ///< libunwind, elfutils, the ABI's demangler.
    Library, ///< CLI11 and nlohmann-json.
    Unknown,
};

/// What a folder may include.
struct FolderRule
{
    std::string_view folder;               ///< From the root, with a slash at the end. The longest that matches counts.
    std::vector<std::string_view> project; ///< Beginnings of allowed quoted includes.
    std::vector<std::string_view> except;  ///< Beginnings of includes that are forbidden all the same.
    std::vector<HeaderOrigin> headers;     ///< Allowed origins; `Unknown` allows everything.
};

/// Where `header` comes from, by its name.
HeaderOrigin originOf(std::string_view header);

/// Words for a message, such as "Qt".
std::string_view nameOf(HeaderOrigin origin);

/// The rule for the file at `path`, or null where no code is expected at all.
const FolderRule *ruleFor(std::string_view path);

} // namespace tests
