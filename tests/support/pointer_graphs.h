// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/reach/pointer_graph.h"

#include <cstdint>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace test {

/// Memory of a made-up process: blocks with links, as words at addresses.
class GraphMemory
{
public:
    static constexpr std::uint64_t kRootBegin = 0x1000;
    static constexpr std::uint64_t kHeapBegin = 0x10'0000;
    static constexpr std::uint64_t kBlockBytes = 256;
    static constexpr std::uint64_t kDistance
        = 512; ///< between begins of blocks; what is behind a block is freed memory

    /// Blocks of nodes 0, 1, … unless told otherwise by setNode().
    explicit GraphMemory(std::size_t blocks);

    /// Links "a>b": a's next word holds b's begin; "a~b": an address inside of b; `a` may be "root". Separated by spaces.
    GraphMemory &link(const std::string &text);
    /// A word at any address.
    GraphMemory &word(std::uint64_t address, std::uint64_t value);
    void linkBlocks(std::size_t from, std::size_t to, bool isExact);
    void linkRoot(std::size_t to, bool isExact);
    void setNode(std::size_t block, std::uint32_t node) { m_blocks[block].node = node & 0xffffffu; }
    void setBirth(std::size_t block, std::int64_t us) { m_blocks[block].birthUs = us; }
    static std::uint64_t addressOf(std::size_t block) { return kHeapBegin + block * kDistance; }

    model::BlockIndex index() const { return model::BlockIndex(m_blocks); }
    model::PointerGraph graph(const model::BlockIndex &index) const;

private:
    std::vector<model::ScanBlock> m_blocks;
    std::vector<std::uint64_t> m_used; ///< words used in each block
    std::uint64_t m_rootsUsed = 0;
    std::vector<model::ScanWord> m_words;
};

} // namespace test
