// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

namespace storage {

/// The type of the file system that `path` stands on when it is one of the network, as /proc names it ("nfs4", "fuse.sshfs"); else empty.
/// The log of a session needs memory that all who look at it share, which machines do not. `path`, or its folder, must exist.
std::string networkFileSystemOf(const std::string &path);

/// The same from the text of /proc/self/mountinfo (proc(5)) for a device.
std::string networkFileSystemIn(std::string_view mounts, dev_t device);

} // namespace storage
