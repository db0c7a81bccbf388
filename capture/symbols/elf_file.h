// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/file_descriptor.h"

#include <libelf.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace capture {

struct EndElf
{
    void operator()(Elf *elf) const { elf_end(elf); }
};
using ElfHandle = std::unique_ptr<Elf, EndElf>;

/// An open ELF file. The file stays open, so a later replacement at its path does not matter.
struct ElfFile
{
    std::string path;
    FileDescriptor fd;
    ElfHandle elf;

    /// Opens a regular ELF file; empty if there is none at `path`.
    static std::optional<ElfFile> open(const std::string &path);
};

/// The build-id of an ELF handle, lower-case hex; empty if it has none.
std::string buildIdOf(Elf *elf);

/// The build-id of the file at `path`, lower-case hex; empty if it has none, or is no ELF file.
std::string buildIdOfFile(const std::string &path);

/// A separate file with the debug information of `file` (found at `path`, with `buildId`): by build-id, else by its debug link with matching
/// build-id or checksum, beside it and below `debugRoot`. Only local files are looked at.
std::optional<ElfFile> findDebugFile(
    Elf *file, const std::string &path, const std::string &buildId, const std::string &debugRoot = "/usr/lib/debug");

/// The file "<debugRoot>/.build-id/ab/cdef….debug", if it is there and right.
std::optional<ElfFile> debugFileOfBuildId(const std::string &buildId, const std::string &debugRoot = "/usr/lib/debug");

} // namespace capture
