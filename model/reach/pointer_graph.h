// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/reach/block_index.h"

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace model {

/// A word of the scanned process that may be a pointer.
struct ScanWord
{
    std::uint64_t address = 0;
    std::uint64_t value = 0;
};

/// Memory whose words keep blocks alive by themselves.
struct RootRange
{
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    std::uint32_t root = 0; ///< which root, in the caller's numbering; below 2^31
};

/// A pointer to a block: its index, and whether it is to the block's begin.
struct BlockLink
{
    std::uint32_t block : 31 = 0;
    std::uint32_t isExact : 1 = 0;
};
static_assert(sizeof(BlockLink) == 4);

/// Which block points to which, and which roots point to blocks. Self-references are left out.
struct PointerGraph
{
    struct RootLink
    {
        BlockLink link;
        std::uint32_t root = 0;
        std::uint64_t address = 0; ///< of the word that holds the pointer; 0: it is in no memory
    };
    std::vector<std::uint64_t> first; ///< by block: position of its first link; one more than there are blocks
    std::vector<BlockLink> links;
    std::vector<RootLink> roots;
    /// How many of `roots`, from the first on, say more about who holds a block than the others: ways begin there where they can.
    std::size_t strongRoots = 0;

    /// A pointer into the middle of a block that may stand for the block all the same: which link, and how far inside it leads.
    struct InteriorLink
    {
        std::uint64_t position : 63 = 0; ///< in `links` or `roots`
        std::uint64_t isOfRoot : 1 = 0;
        std::uint64_t offset = 0;
    };
    std::vector<InteriorLink> interior; ///< of offsets that are multiples of a word

    std::size_t blockCount() const { return first.size() - 1; }
    std::span<const BlockLink> linksOf(std::uint32_t block) const
    {
        return {links.data() + first[block], static_cast<std::size_t>(first[block + 1] - first[block])};
    }
};

/// Makes a PointerGraph of words. A word counts by where it lies: in a block, as far as it was asked for, it is the block's; in a root
/// range the root's; anywhere else (memory that was freed, slack of the allocator) it is nobody's.
class PointerGraphBuilder
{
public:
    /// `roots` ascending and apart. `blocks` must outlive it.
    PointerGraphBuilder(const BlockIndex &blocks, std::vector<RootRange> roots);

    /// Makes room for the links of so many words, which costs nothing where it stays empty.
    void reserve(std::size_t words) { m_graph.links.reserve(words); }
    /// All words, in ascending order of their addresses over all calls.
    void addWords(std::span<const ScanWord> words);
    /// A value that a root holds outside memory: a register.
    void addRootValue(std::uint64_t value, std::uint32_t root);
    /// The block is held by a root as if by a pointer to its begin.
    void addRootBlock(std::uint32_t block, std::uint32_t root);

    /// `isStrong`: whether a root says who holds a block (a variable, a stack); all do if it is empty.
    PointerGraph take(const std::function<bool(std::uint32_t root)> &isStrong = {});

private:
    void link(const ScanWord &word, std::uint32_t target);
    void sortRoots(const std::function<bool(std::uint32_t root)> &isStrong);
    void noteInterior(std::uint64_t value, std::uint32_t target, bool isOfRoot);

    const BlockIndex &m_blocks;
    std::vector<RootRange> m_ranges;
    std::size_t m_source = 0; ///< first block that ends behind the last word
    std::size_t m_range = 0;  ///< first root range that ends behind it
    PointerGraph m_graph;
};

} // namespace model
