// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/proc/memory_maps.h"
#include "model/reach/interior_proof.h"

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace capture {

/// Reads a few words of blocks while the process runs on: what it says may be of a moment later than the scan, and is evidence for how a block
/// is used, not for whether it is. One thread.
class BlockReader
{
public:
    BlockReader(std::int32_t pid, const std::vector<MemoryMapping> &mappings);

    std::optional<model::BlockHead> head(const model::ScanBlock &block, std::uint64_t offset) const;
    /// Whether there is a table of virtual functions at `address`: data of a module whose first entry, or the one behind it, is code.
    bool isVirtualTable(std::uint64_t address) const;

private:
    struct Range
    {
        std::uint64_t begin;
        std::uint64_t end;
    };
    static bool contains(const std::vector<Range> &ranges, std::uint64_t address);
    bool read(std::uint64_t address, void *bytes, std::size_t count) const;

    std::int32_t m_pid;
    std::vector<Range> m_data; ///< of modules, ascending
    std::vector<Range> m_code;
    mutable std::map<std::uint64_t, bool> m_tables;
};

} // namespace capture
