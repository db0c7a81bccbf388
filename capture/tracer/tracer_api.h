// SPDX-License-Identifier: MIT
#pragma once

namespace capture::tracer {

/// Tells the recorder which memory the tracer has mapped for itself.
void publishPrivateMemory();

/// Lets the program's marks, phases, pools and thread names reach us: finds the slots that genesis_profiler.h has put into the
/// modules that are loaded, by their ELF notes, and fills them. Modules that come later ask for it themselves
/// (genesis_profiler_join), or at the next call. After each connection to a recorder; pools then introduce themselves anew.
void offerApi();

} // namespace capture::tracer
