// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/symbols/mapped_file.h"

#include <cstdint>
#include <map>
#include <string>

namespace capture {

/// Names the modules of a process as /proc/PID/maps names them, which is also how CPU samples name them: the loader's
/// own names may go through symbolic links ("/lib/…" for "/usr/lib/…"). One owning thread.
class ModuleNames
{
public:
    explicit ModuleNames(std::int32_t pid);

    /// The program itself, as /proc/PID/exe names it; empty if that could not be read.
    const std::string &executable() const { return m_executable; }

    struct Name
    {
        std::string
            path; ///< marked as deleted where another file has this name by now and no build-id tells which one it was
        std::string buildId; ///< lower-case hex; empty if there is none
    };
    /// The module that is mapped from address `begin`, that its loader calls `loaderPath` (empty: the program), and in whose memory its
    /// tracer found `loadedBuildId` (empty: none). A file on disk tells a build-id only if it is the mapped one.
    Name nameOf(std::uint64_t begin, const std::string &loaderPath, const std::string &loadedBuildId);

private:
    struct Mapped
    {
        std::string path;
        FileNumbers file;
    };
    void readMaps();
    const Mapped *mappedAt(std::uint64_t begin, const std::string &loaderPath);
    Name withoutBuildId(const std::string &path, const FileNumbers &file) const;

    std::int32_t m_pid;
    std::string m_executable;
    std::map<std::uint64_t, Mapped> m_mapped; ///< by first address of each mapping
};

} // namespace capture
