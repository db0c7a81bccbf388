// SPDX-License-Identifier: MIT
#pragma once

#include "capture/wire/attach.h"
#include "capture/wire/rendezvous.h"

namespace capture::tracer {

/// Where the recorder is to be met, when a command named it (wire/attach.h); empty: the environment says it. Forked children
/// meet the same one.
extern char g_recorderAddress[wire::kAddressBytes];

/// Asks the recorder named by a command or the environment for this image's memory, maps it, and closes every descriptor. Raw
/// system calls only, each step bounded in time. A view with null base: untraced from here on (no recorder named,
/// not reachable, or no room to map); the last is told to the recorder.
wire::MemoryView meetRecorder(wire::Origin origin);

} // namespace capture::tracer
