// SPDX-License-Identifier: MIT
#pragma once

#include "capture/wire/attach.h"

/// What a recorder calls in a running process, on a thread that it borrows: see wire/attach.h. The thread is not in the
/// allocator, the loader or a signal handler, has its signals blocked and a stack of its own for the call.
extern "C" {
__attribute__((visibility("default"))) void genesis_tracer_command(capture::wire::AttachCommand *command);
/// Does nothing when called; its address is asked for.
__attribute__((visibility("default"))) void genesis_tracer_locked();
}
