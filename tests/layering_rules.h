// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "tests/source_text.h"

#include <cstddef>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace tests {

/// A rule of the source tree that a file breaks.
struct Violation
{
    std::string path;     ///< Relative to the root.
    std::size_t line = 0; ///< Counted from 1; 0 where the whole file is meant.
    std::string text;     ///< What is wrong and what to do instead.
};

using Violations = std::vector<Violation>;

/// The longest that a C++ file may be, in lines.
inline constexpr std::size_t kMostLines = 500;

/// C or C++ source, judged by the name's ending.
bool isCpp(std::string_view path);

/// Includes that the folder of `file` may not have, and includes that are not written from the root.
/// `paths` are all files of the tree: a quoted include has to name one of them, or be moc's output for the
/// file itself.
Violations forbiddenIncludes(const SourceFile &file, const std::set<std::string> &paths);

/// A licence line that is missing, not at the top, or not the one of the folder.
Violations wrongLicence(const SourceFile &file);

/// A C++ file of more than `kMostLines` lines.
Violations tooLong(const SourceFile &file);

/// Words that both compilers do not take, checks that cannot fail, and headers without `#pragma once`.
Violations forbiddenCode(const SourceFile &file);

/// Places on the machine that built it: the root itself, and the folder around it unless that is a well-known
/// one.
Violations machinePaths(const SourceFile &file, std::string_view root);

/// C++ sources that no CMakeLists.txt in their folder or above lists: they are never compiled, so a test in
/// them never fails.
Violations unlistedSources(const std::vector<SourceFile> &files);

/// All of the rules above over all files, in the order of the files.
Violations violationsOf(const std::vector<SourceFile> &files, std::string_view root);

} // namespace tests
