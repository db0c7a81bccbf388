// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <string>

namespace capture {

/// Removes from `folder` sockets that recorders of this user left there when they were killed: nobody listens at them, and they are older
/// than a minute. Looks at no more than 2,000 files. How many were removed.
std::size_t removeDeadSockets(const std::string &folder);

} // namespace capture
