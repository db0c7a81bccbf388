// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/heap/scan_blocks.h"

#include <fmt/format.h>

#include <algorithm>

namespace capture {

namespace {

constexpr std::uint64_t kMostBlockBytes = (std::uint64_t{1} << 40) - 1; ///< what model::ScanBlock has room for

} // namespace

void copyBlocks(const model::LiveTable &live, std::vector<model::ScanBlock> &blocks)
{
    std::size_t count = 0;
    live.forEach([&](std::uint64_t pointer, const model::LiveBlock &block) {
        model::ScanBlock one;
        one.address = pointer;
        one.size = std::min(block.size, kMostBlockBytes) & kMostBlockBytes;
        one.node = block.node & 0xff'ffffu;
        one.birthUs = block.birthUs;
        if (count < blocks.size())
            blocks[count] = one;
        else
            blocks.push_back(one);
        ++count;
    });
    blocks.resize(count);
}

std::size_t cutBlocks(const MappedExtent &extent, std::vector<model::ScanBlock> &blocks)
{
    const std::size_t before = blocks.size();
    std::size_t count = 0;
    for (model::ScanBlock one : blocks) {
        const std::uint64_t end = extent.endOf(one.address, one.end());
        if (end == one.address)
            continue;
        one.size = std::min<std::uint64_t>(one.size, end - one.address) & kMostBlockBytes;
        blocks[count++] = one;
    }
    blocks.resize(count);
    return before - count;
}

bool coversAll(const SegmentFilter &filter, const std::vector<model::ScanBlock> &blocks)
{
    return std::all_of(blocks.begin(), blocks.end(),
        [&](const model::ScanBlock &block) { return filter.covers(block.address, block.end()); });
}

bool fillFilter(const std::vector<model::ScanBlock> &blocks, SegmentFilter &filter)
{
    filter = SegmentFilter();
    std::uint64_t bytes = 0;
    for (const model::ScanBlock &block : blocks) {
        bytes += block.size;
        if (bytes > kAddressSpaceBytes)
            return false;
        filter.add(block.address, block.end());
    }
    return true;
}

model::Error tooManyBytes(std::int32_t pid)
{
    return model::Error(fmt::format("The blocks of process {} would take more than all of its addresses, so they "
                                    "cannot be what it says they are",
        pid));
}

void addBreak(SegmentFilter &filter, const std::vector<MemoryMapping> &mappings)
{
    for (const MemoryMapping &mapping : mappings)
        if (mapping.path == "[heap]")
            filter.add(mapping.begin, mapping.end);
}

} // namespace capture
