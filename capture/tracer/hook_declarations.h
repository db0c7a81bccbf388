// SPDX-License-Identifier: MIT
#pragma once

#include "capture/tracer/interpose.h"

// Declares every hook, exported: for the files that hold their bodies.
#define HOOK(result, name, parameters) GENESIS_EXPORT result name parameters noexcept;
#define HOOK_OPTIONAL HOOK
#include "capture/tracer/hooked_functions.def"
#undef HOOK_OPTIONAL
#undef HOOK
