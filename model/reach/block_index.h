// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace model {

/// A live block as a scan sees it.
struct ScanBlock
{
    std::uint64_t address = 0;
    std::uint64_t size : 40 = 0; ///< bytes asked for, below 1 TiB
    std::uint64_t node : 24 = 0; ///< the stack that allocated it, in the recorder's numbering
    std::int64_t birthUs = 0;    ///< in microseconds of the recording

    /// First address behind it. A block of no bytes has one all the same: there are pointers to it.
    std::uint64_t end() const { return address + (size > 0 ? size : 1); }
};
static_assert(sizeof(ScanBlock) == 24);

/// Finds the block that an address lies in, as addresses come in any order and by the hundred million: by the piece of memory that it is on,
/// 4 KiB where blocks are large, 256 bytes where they are small. Takes memory by the number of blocks, not by their size. Const once made, so
/// any thread may ask.
class BlockIndex
{
public:
    static constexpr std::uint32_t kNone = UINT32_MAX;

    /// Takes blocks in any order, at most 2^31; where two overlap the later one counts.
    explicit BlockIndex(std::vector<ScanBlock> blocks);

    /// By address.
    const std::vector<ScanBlock> &blocks() const { return m_blocks; }
    std::size_t size() const { return m_blocks.size(); }
    const ScanBlock &operator[](std::size_t index) const { return m_blocks[index]; }

    /// The block that holds `address`, or kNone.
    std::uint32_t find(std::uint64_t address) const;
    /// The same for each of at most kMostAtOnce addresses, in `found`: several times as fast, as the memory that one takes is on its way
    /// while another is looked at.
    void find(std::span<const std::uint64_t> addresses, std::uint32_t *found) const;
    static constexpr std::size_t kMostAtOnce = 64;

private:
    static constexpr unsigned kSegmentBits = 21;

    struct Slot
    {
        std::uint64_t segment = UINT64_MAX;
        std::uint32_t pieces = kNone; ///< position of its first piece in m_firstBlock
        unsigned pieceBits = 0;       ///< a piece has 2^this bytes

        std::uint32_t pieceOf(std::uint64_t address) const
        {
            constexpr std::uint64_t kWithin = (std::uint64_t{1} << kSegmentBits) - 1;
            return pieces + static_cast<std::uint32_t>((address & kWithin) >> pieceBits);
        }
    };

    void sort();
    void buildPieces();
    const Slot *slotOf(std::uint64_t segment) const; ///< null: it has no block
    Slot addSegment(std::uint64_t segment, std::size_t firstBlock);
    void growSlots();
    std::uint32_t findLong(std::uint64_t address) const;
    /// From the first block of its piece on.
    std::uint32_t findFrom(std::uint32_t first, std::uint64_t address) const
    {
        if (first == kNone)
            return kNone;
        std::size_t i = first;
        while (i < m_blocks.size() && m_blocks[i].end() <= address)
            ++i;
        return i < m_blocks.size() && m_blocks[i].address <= address ? static_cast<std::uint32_t>(i) : kNone;
    }

    std::vector<ScanBlock> m_blocks;
    std::vector<Slot> m_slots; ///< open addressing, by segment
    std::size_t m_segmentCount = 0;
    std::vector<std::uint32_t> m_firstBlock; ///< by piece: first block that ends behind the piece's begin
    std::vector<std::uint32_t> m_longBlocks; ///< that have whole segments of their own, which have no slots; ascending
};

} // namespace model
