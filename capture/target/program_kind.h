// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace capture {

enum class ProgramFormat : std::uint8_t {
    Elf,
    Script,  ///< begins with "#!"
    Other,   ///< neither; a shell may still run it
    Missing, ///< not a file, or not readable
};

/// What the file of a program says about how it will run.
struct ProgramKind
{
    ProgramFormat format = ProgramFormat::Missing;
    std::string path;
    std::string interpreter; ///< Elf: the loader (PT_INTERP), empty when static; Script: the program after "#!"
    bool is64Bit = false;
    std::uint16_t machine = 0; ///< e_machine
    bool isSetId = false;      ///< set-user-id or set-group-id to somebody else, or file capabilities
    bool hasAddressSanitizer = false;
    std::vector<std::string> libraries; ///< DT_NEEDED
};

/// Reads the kind of a program file. Reads headers and the dynamic section only; every bound in the file is checked.
ProgramKind programKind(const std::string &path);

/// Why the heap of this program cannot be traced by a preloaded library, as a sentence; empty if nothing speaks against it.
/// A script is judged by its interpreter. `path` as `findExecutable` gives it.
std::string heapObstacle(const std::string &path);

} // namespace capture
