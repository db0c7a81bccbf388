// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace capture {

/// The search path that a program without PATH in its environment gets (as execvp does it).
inline constexpr std::string_view kDefaultSearchPath = "/bin:/usr/bin";

/// The files that `program` can stand for, in the order in which they are to be tried, as execvp does it: itself if there is a
/// slash in it, else one in each directory of `searchPath` (an empty entry means the working directory). Never empty
/// for a program with a name; nothing is looked up on disk.
std::vector<std::string> executableCandidates(std::string_view program, std::string_view searchPath);

/// The file that would be run for `program` started in `workingDirectory` (empty: the caller's own): the first candidate that is
/// an executable file, as an absolute path if the working directory is; empty if there is none.
std::string findExecutable(std::string_view program, std::string_view searchPath, std::string_view workingDirectory);

} // namespace capture
