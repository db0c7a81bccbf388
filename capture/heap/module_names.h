// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

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

    /// The path of the module that is mapped from address `begin` and that its loader calls `loaderPath` (empty: the program).
    std::string pathOf(std::uint64_t begin, const std::string &loaderPath);

    /// The build-id of the ELF file at `path`, lower-case hex; empty if it has none or cannot be read.
    const std::string &buildIdOf(const std::string &path);

private:
    void readMaps();

    std::int32_t m_pid;
    std::string m_executable;
    std::map<std::uint64_t, std::string> m_mapped; ///< path by first address of each mapping
    std::map<std::string, std::string> m_buildIds;
};

} // namespace capture
