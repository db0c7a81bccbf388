// SPDX-License-Identifier: MIT
#pragma once

#include "capture/wire/record.h"

#include <cstddef>
#include <cstdint>

namespace capture::tracer {

/// Writes a note into the calling thread's ring: the text first, in pieces, then what it is. With the guard held.
void writeNote(wire::NoteKind kind, const char *text, std::size_t bytes, std::uint64_t pool);

/// Tells the recorder which memory the tracer has mapped for itself.
void publishPrivateMemory();

/// Lets the program's marks, phases, pools and thread names reach us: finds the slots that genesis_profiler.h has put into the
/// modules that are loaded, by their ELF notes, and fills them. Modules that come later ask for it themselves
/// (genesis_profiler_join), or at the next call. After each connection to a recorder; pools then introduce themselves anew.
void offerApi();
/// The same in a forked child, whose slots are filled as its parent's were. Looks at no module.
void renewApi();

} // namespace capture::tracer
