// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace capture {

/// Why the tracer of a process that runs cannot have met the recorder, with the way out; a sentence, empty where nothing of the kind is
/// seen. `tracerPath`: what was preloaded. `procRoot`: for tests.
std::string absenceOfTracer(std::int32_t pid, std::string_view tracerPath, const std::string &procRoot = "/proc");

/// Whether it runs in another network namespace than the recorder, whose socket cannot be reached from there. False where nobody knows.
bool isInOtherNetwork(std::int32_t pid, const std::string &procRoot = "/proc");

/// What becomes of a process there.
inline constexpr const char *kOtherNetwork = "It runs in another network namespace (unshare, a container), from which "
                                             "the recorder cannot be reached: start genprof in there.";

} // namespace capture
