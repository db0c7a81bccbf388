// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace capture {

/// The number of a tracepoint, "raw_syscalls/sys_enter", as perf_event_open wants it; nothing where tracefs is not to be read. Root needs no mounted one.
std::optional<std::uint64_t> tracepointId(const std::string &name);

/// Why that is so, to follow the tracepoint's name in a sentence: "may not be read".
std::string tracepointObstacle();

} // namespace capture
