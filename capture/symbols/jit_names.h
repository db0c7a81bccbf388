// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/file_descriptor.h"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace capture {

/// The names that a process gives the code it generates, from its /tmp/perf-PID.map ("START SIZE name", hexadecimal), which
/// grows while it runs. One per process; capture thread only.
class JitNames
{
public:
    /// `path` empty: /tmp/perf-PID.map as the process itself names it, in its own root and by its own pid. It is found after the end of the
    /// process too: some (Java's) write it then.
    explicit JitNames(std::int32_t pid, std::string path = {});

    /// Reads what was added since the last call. Returns whether there was anything. A file of a stranger (neither the
    /// process' user's nor root's) is not read.
    bool refresh();
    /// The name of the code at `address`; empty where none is known. Of overlapping entries the last written holds.
    std::string_view find(std::uint64_t address) const;
    std::size_t size() const { return m_codes.size(); }

private:
    struct Code
    {
        std::uint64_t end = 0;
        std::string name;
    };
    void open();
    void forgetOld();
    void addLine(std::string_view line);

    std::string m_path;
    FileDescriptor
        m_folder; ///< that `m_path` is in, if it is no whole path; kept open, as the way to it ends with the process
    FileDescriptor m_file;
    std::optional<std::uint32_t> m_owner;  ///< the user of the process
    std::uint64_t m_offset = 0;            ///< read so far
    std::map<std::uint64_t, Code> m_codes; ///< by begin
};

} // namespace capture
