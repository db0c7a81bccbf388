// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace capture {

/// By what the kernel knows the file of a mapping: device and inode as /proc/PID/maps has them. Inode 0: nothing is known.
struct FileNumbers
{
    std::uint32_t major = 0, minor = 0;
    std::uint64_t inode = 0;
};

/// A path as /proc/PID/maps and smaps write it, with its newlines. They escape nothing but these ("\012"): a backslash stands there as it is, other
/// than in mountinfo, so "\101" belongs to the name.
std::string withNewlines(std::string_view written);

/// As withNewlines(), but a file that has "\012" in its name keeps it: of the two readings the one that is the mapped file, else the only one that
/// exists, below `root` (of the process) or here.
std::string mappedPath(std::string_view written, const FileNumbers &file, const std::string &root);

} // namespace capture
