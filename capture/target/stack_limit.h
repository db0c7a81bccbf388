// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/base/result.h"

namespace capture {

/// Makes room for the stacks of this process, whatever limit it was started under (`ulimit -s`): the main thread's grows as far as the limit
/// can be raised, threads begun from now on get 2 MiB at least. Call it in `main`, after InheritedState::capture(), which gives the
/// limit back to what is launched. Fails where it could end in the middle of things: with what to do about it.
[[nodiscard]] model::Result<void> makeRoomForStacks();

} // namespace capture
