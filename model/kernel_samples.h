// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/session_info.h"

#include <string>
#include <string_view>

namespace model {

/// How the note of CPU sampling reads, or ends, where the kernel's own code was not sampled; why follows in brackets.
inline constexpr std::string_view kKernelNotSampled = "Time spent in the kernel is not sampled";

/// Whether CPU samples were taken of the kernel's own code too; true where none were taken.
inline bool isKernelSampled(const SessionInfo &info)
{
    return info.cpuEvent.empty() || info.cpuNote.find(kKernelNotSampled) == std::string::npos;
}

} // namespace model
