// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/scan/block_reader.h"

#include <sys/uio.h>

#include <algorithm>

namespace capture {

BlockReader::BlockReader(std::int32_t pid, const std::vector<MemoryMapping> &mappings)
    : m_pid(pid)
{
    for (const MemoryMapping &mapping : mappings) {
        if (!mapping.isFile() || mapping.isShared || !mapping.isReadable)
            continue;
        (mapping.isExecutable ? m_code : m_data).push_back({mapping.begin, mapping.end});
    }
}

bool BlockReader::contains(const std::vector<Range> &ranges, std::uint64_t address)
{
    const auto next
        = std::partition_point(ranges.begin(), ranges.end(), [=](const Range &range) { return range.end <= address; });
    return next != ranges.end() && next->begin <= address;
}

bool BlockReader::read(std::uint64_t address, void *bytes, std::size_t count) const
{
    const iovec local{bytes, count};
    const iovec remote{reinterpret_cast<void *>(static_cast<std::uintptr_t>(address)), count};
    return ::process_vm_readv(m_pid, &local, 1, &remote, 1, 0) == static_cast<ssize_t>(count);
}

std::optional<model::BlockHead> BlockReader::head(const model::ScanBlock &block, std::uint64_t offset) const
{
    model::BlockHead head;
    const std::size_t bytes = std::min<std::size_t>(block.size, sizeof head.words);
    if (!read(block.address, head.words, bytes)
        || (offset + sizeof head.atPointer <= block.size
            && !read(block.address + offset, &head.atPointer, sizeof head.atPointer)))
        return std::nullopt;
    return head;
}

bool BlockReader::isVirtualTable(std::uint64_t address) const
{
    if (address % 8 != 0 || !contains(m_data, address))
        return false;
    const auto [known, isNew] = m_tables.try_emplace(address, false);
    if (!isNew)
        return known->second;
    std::uint64_t entries[2] = {0, 0};
    if (read(address, entries, sizeof entries))
        known->second = contains(m_code, entries[0]) || (entries[0] == 0 && contains(m_code, entries[1]));
    return known->second;
}

} // namespace capture
