// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace capture {

/// A mapping of a process: a line of /proc/PID/maps, or the head of a block of smaps.
struct MemoryMapping
{
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    bool isReadable = false;
    bool isWritable = false;
    bool isExecutable = false;
    bool isShared = false;
    std::uint64_t fileOffset = 0;
    std::uint32_t deviceMajor = 0;
    std::uint32_t deviceMinor = 0;
    std::uint64_t inode = 0;
    std::string path; ///< with its own bytes: newlines are unescaped; "[heap]", "[vdso]"; empty for anonymous memory
    bool isDeleted = false; ///< the file at that path is gone, or another one now

    bool isFile() const { return !path.empty() && path.front() == '/'; }
};

/// More than the kernel allows a process by default (vm.max_map_count is 65,530, at times set to a million).
inline constexpr std::size_t kMostMappings = 1u << 20;

/// Parses one line without its newline; empty if it is none of a maps file. With the process's `root` a name that can be read in two ways is looked up
/// (mappedPath()).
std::optional<MemoryMapping> parseMapping(std::string_view line, const std::string *root = nullptr);

/// Parses the text of a maps file; lines that are none are passed over, and at most `most` mappings are returned.
std::vector<MemoryMapping> parseMaps(
    std::string_view text, std::size_t most = kMostMappings, const std::string *root = nullptr);

/// The mappings of a process now; empty if it is gone or may not be read.
std::vector<MemoryMapping> readMaps(std::int32_t pid, const std::string &procRoot = "/proc");

} // namespace capture
