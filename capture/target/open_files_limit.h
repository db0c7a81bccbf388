// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

namespace capture {

/// Lets the calling process open as many files as it may let itself (RLIMIT_NOFILE up to the hard limit): traced processes and sampled
/// threads take some each. What is launched gets back what there was: see InheritedState.
void raiseOpenFilesLimit();

} // namespace capture
