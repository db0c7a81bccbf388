// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <sys/types.h>

#include <vector>

namespace capture {

/// The threads that a process has now; none if it is gone.
std::vector<pid_t> threadsOf(pid_t pid);

} // namespace capture
