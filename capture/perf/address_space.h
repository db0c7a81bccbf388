// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/perf/code_files.h"

#include <cstdint>
#include <vector>

namespace capture {

/// The code mapped into one process, as its mapping records said. A value: a fork copies it.
class AddressSpace
{
public:
    struct Mapping
    {
        std::uint64_t begin = 0, end = 0;
        std::uint64_t fileOffset = 0;
        CodeFile *file = nullptr;
    };

    /// Adds a mapping; what it overlaps is cut to what is left of it.
    void add(const Mapping &mapping);
    void clear();
    /// The mapping that holds `pc`; null where none does. Valid until the next change.
    const Mapping *find(std::uint64_t pc) const;
    std::size_t size() const { return m_mappings.size(); }

private:
    std::vector<Mapping> m_mappings; ///< ascending, disjoint
    mutable std::size_t m_last = 0;  ///< neighbouring frames are often in the same one
};

/// The executable mappings of a process as /proc/PID/maps lists them now; empty where it is gone or may not be read. With the build-ids that
/// stand in its memory, where that may be read: the files on disk may be others by now.
std::vector<PerfMapping> readCodeMappings(std::int32_t pid);

} // namespace capture
