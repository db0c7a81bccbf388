// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/reach/interior_proof.h"

#include <map>
#include <utility>

namespace model {

namespace {

constexpr std::uint64_t kWordBytes = 8;
constexpr std::uint64_t kOldStringHead = 24; ///< length, capacity, count of references
constexpr std::size_t kMostReads = 200'000;  ///< a bound on the time; what is beyond stays possibly lost

class Promoter
{
public:
    Promoter(const Marks &marks, const BlockIndex &blocks, const ReadHead &readHead, const IsVirtualTable &isTable)
        : m_marks(marks)
        , m_blocks(blocks)
        , m_readHead(readHead)
        , m_isTable(isTable)
    {
    }

    bool stands(BlockLink link, std::uint64_t offset)
    {
        if (link.isExact || m_marks.level[link.block] != HoldLevel::Interior)
            return false;
        const std::uint32_t target = link.block;
        const auto known = m_known.find({target, offset});
        if (known != m_known.end())
            return known->second;
        if (m_known.size() >= kMostReads)
            return false;
        const ScanBlock &block = m_blocks[link.block];
        const auto head = m_readHead(block, offset);
        const bool result = head && standsForBlock(*head, offset, block.size, m_isTable);
        m_known.emplace(std::pair(target, offset), result);
        return result;
    }

private:
    const Marks &m_marks;
    const BlockIndex &m_blocks;
    const ReadHead &m_readHead;
    const IsVirtualTable &m_isTable;
    std::map<std::pair<std::uint32_t, std::uint64_t>, bool> m_known;
};

} // namespace

bool standsForBlock(const BlockHead &head, std::uint64_t offset, std::uint64_t size, const IsVirtualTable &isTable)
{
    if (offset % kWordBytes != 0 || offset + kWordBytes > size)
        return false;
    const std::uint64_t rest = size - kWordBytes;
    if (offset == kWordBytes && head.words[0] > 0 && head.words[0] <= rest
        && (rest % head.words[0] == 0 || head.words[0] == size))
        return true;
    if (offset == kOldStringHead && head.words[0] <= head.words[1] && head.words[1] == size - kOldStringHead - 1)
        return true;
    return isTable(head.words[0]) && isTable(head.atPointer);
}

bool promoteInterior(PointerGraph &graph, const Marks &marks, const BlockIndex &blocks, const ReadHead &readHead,
    const IsVirtualTable &isTable)
{
    Promoter promoter(marks, blocks, readHead, isTable);
    bool isChanged = false;
    for (const PointerGraph::InteriorLink &interior : graph.interior) {
        BlockLink &link = interior.isOfRoot ? graph.roots[interior.position].link : graph.links[interior.position];
        if (!promoter.stands(link, interior.offset))
            continue;
        link.isExact = 1;
        isChanged = true;
    }
    return isChanged;
}

} // namespace model
