// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/proc/maps_path.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace capture {

/// Whether /proc says of this path that its file was removed or replaced since: it ends in " (deleted)".
bool isMarkedDeleted(std::string_view path);
/// The path without that mark.
std::string withoutDeletedMark(std::string path);
/// The path with that mark: a module without a build-id of which this is known. No file of the name is its own.
std::string withDeletedMark(std::string path);

/// Whether the open file is the one that was mapped. File systems in layers (overlayfs, btrfs) tell another device or inode of a mapping than
/// of the file: where they differ, the file is mapped here and compared as the kernel then shows it.
bool isMappedFile(int fd, const FileNumbers &mapped);

/// Paths below /proc through which the file that a process mapped from `path` can be opened though there is another one under its name, or
/// none. Which of them it is, its build-id must tell. Only root may open others than the executable.
std::vector<std::string> mappedCopies(std::int32_t pid, const std::string &path);

} // namespace capture
