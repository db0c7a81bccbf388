// SPDX-License-Identifier: MIT
#pragma once

#include "capture/wire/attach.h"
#include "capture/wire/rendezvous.h"

namespace capture::tracer {

/// What a meeting came to. A view with null base: untraced from here on.
struct Meeting
{
    wire::MemoryView memory;
    std::uint64_t image = 0; ///< Welcome::image
};

/// Where the recorder is to be met, when a command named it (wire/attach.h); empty: the environment says it. Forked children
/// meet the same one.
extern char g_recorderAddress[wire::kAddressBytes];

/// Asks the recorder named by a command or the environment for this image's memory, maps it, and closes every descriptor. Raw
/// system calls only, each step bounded in time. It comes to nothing where no recorder is named, it is not reachable, or there is
/// no room to map; the last is told to the recorder. `copiedImage`: as Hello has it.
Meeting meetRecorder(wire::Origin origin, std::uint64_t copiedImage);

} // namespace capture::tracer
