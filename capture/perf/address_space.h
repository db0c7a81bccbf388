// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/perf/code_files.h"

#include <cstdint>
#include <map>
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
        bool isGone = false; ///< see markGone()
    };

    /// Adds a mapping; what it overlaps is cut to what is left of it.
    void add(const Mapping &mapping);
    void clear();
    /// The mapping that holds `pc`; null where none does. Valid until the next change.
    const Mapping *find(std::uint64_t pc) const;
    std::size_t size() const { return m_mappings.size(); }

    /// No record says that code was unmapped. Marks what is not among `mapped` (ascending): that is all of the process now. It is still found,
    /// by samples from before, until dropGone(); what is mapped in its place meanwhile is not marked.
    void markGone(const std::vector<PerfMapping> &mapped);
    void dropGone();

private:
    /// Neighbouring frames are often in the same mapping. That of a copy would lie in the original.
    struct Last
    {
        Last() = default;
        Last(const Last &) { }
        Last &operator=(const Last &)
        {
            mapping = nullptr;
            return *this;
        }
        const Mapping *mapping = nullptr;
    };

    std::map<std::uint64_t, Mapping> m_mappings; ///< by begin; disjoint
    mutable Last m_last;
};

enum class BuildIds : std::uint8_t { Read, Leave };

/// The executable mappings of a process as /proc/PID/maps lists them now; empty where it is gone or may not be read. With the build-ids that
/// stand in its memory, where that may be read: the files on disk may be others by now.
std::vector<PerfMapping> readCodeMappings(std::int32_t pid, BuildIds buildIds = BuildIds::Read);

} // namespace capture
