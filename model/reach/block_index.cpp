// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/reach/block_index.h"

#include <algorithm>
#include <array>
#include <utility>

namespace model {

namespace {

constexpr unsigned kDigitBits = 11;
constexpr std::size_t kDigits = std::size_t{1} << kDigitBits;
constexpr unsigned kFirstBit = 3; // malloc's blocks are 8 bytes apart at least
constexpr unsigned kLastBit = 47;
constexpr std::size_t kFewBlocks = 4096;
constexpr unsigned kPageBits = 12;
constexpr unsigned kSmallPieceBits = 8;
constexpr std::ptrdiff_t kManyInSegment = 1024; ///< blocks: two a page
constexpr std::ptrdiff_t kFewInSegment = 16;    ///< looked through one by one: a segment of them costs one entry
constexpr std::uint64_t kMostBytes = (std::uint64_t{1} << 40) - 1;

std::size_t digit(const ScanBlock &block, unsigned shift)
{
    return static_cast<std::size_t>(block.address >> shift) & (kDigits - 1);
}

bool isBefore(const ScanBlock &a, const ScanBlock &b) { return a.address < b.address; }

std::size_t hashOf(std::uint64_t segment) { return static_cast<std::size_t>((segment * 0x9e3779b97f4a7c15ull) >> 32); }

} // namespace

BlockIndex::BlockIndex(std::vector<ScanBlock> blocks)
    : m_blocks(std::move(blocks))
{
    sort();
    // A block cannot lie in another: what is left of the earlier one is what it still has.
    for (std::size_t i = 1; i < m_blocks.size(); ++i)
        if (m_blocks[i - 1].end() > m_blocks[i].address)
            m_blocks[i - 1].size = (m_blocks[i].address - m_blocks[i - 1].address) & kMostBytes;
    buildPieces();
}

/// Radix sort: several times as fast as a comparing one for millions of blocks.
void BlockIndex::sort()
{
    if (m_blocks.size() < kFewBlocks) {
        std::sort(m_blocks.begin(), m_blocks.end(), isBefore);
        return;
    }
    std::vector<ScanBlock> other(m_blocks.size());
    std::vector<std::array<std::size_t, kDigits>> counts((kLastBit - kFirstBit + kDigitBits - 1) / kDigitBits);
    for (const ScanBlock &block : m_blocks)
        for (std::size_t i = 0; i < counts.size(); ++i)
            ++counts[i][digit(block, kFirstBit + static_cast<unsigned>(i) * kDigitBits)];
    for (std::size_t i = 0; i < counts.size(); ++i) {
        const unsigned shift = kFirstBit + static_cast<unsigned>(i) * kDigitBits;
        std::array<std::size_t, kDigits> &places = counts[i];
        if (places[digit(m_blocks.front(), shift)] == m_blocks.size())
            continue;
        std::size_t next = 0;
        for (std::size_t &place : places)
            next += std::exchange(place, next);
        for (const ScanBlock &block : m_blocks)
            other[places[digit(block, shift)]++] = block;
        std::swap(m_blocks, other);
    }
    // Addresses that no program should have.
    if (!std::is_sorted(m_blocks.begin(), m_blocks.end(), isBefore))
        std::sort(m_blocks.begin(), m_blocks.end(), isBefore);
}

void BlockIndex::buildPieces()
{
    m_slots.resize(64);
    Slot slot;
    for (std::size_t i = 0; i < m_blocks.size(); ++i) {
        const std::uint64_t end = m_blocks[i].end();
        const std::uint64_t lastSegment = (end - 1) >> kSegmentBits;
        for (std::uint64_t at = m_blocks[i].address; at < end;) {
            if (at >> kSegmentBits != slot.segment)
                slot = addSegment(at >> kSegmentBits, i);
            const std::uint64_t endOfSegment = ((at >> kSegmentBits) + 1) << kSegmentBits;
            const std::uint32_t last = slot.pieceOf(std::min(end, endOfSegment) - 1);
            for (std::uint32_t piece = slot.pieceOf(at); piece <= last; ++piece)
                if (m_firstBlock[piece] == kNone)
                    m_firstBlock[piece] = static_cast<std::uint32_t>(i);
            at = endOfSegment;
            // What lies within a block of many segments is its alone, and costs nothing however large it is.
            if (at < end && at >> kSegmentBits < lastSegment) {
                m_longBlocks.push_back(static_cast<std::uint32_t>(i));
                at = lastSegment << kSegmentBits;
            }
        }
    }
}

const BlockIndex::Slot *BlockIndex::slotOf(std::uint64_t segment) const
{
    const std::size_t mask = m_slots.size() - 1;
    for (std::size_t at = hashOf(segment) & mask;; at = (at + 1) & mask) {
        if (m_slots[at].segment == segment)
            return &m_slots[at];
        if (m_slots[at].segment == UINT64_MAX)
            return nullptr;
    }
}

/// `firstBlock` is the first that lies in the segment, if it is new.
BlockIndex::Slot BlockIndex::addSegment(std::uint64_t segment, std::size_t firstBlock)
{
    if (const Slot *known = slotOf(segment))
        return *known;
    if ((m_segmentCount + 1) * 2 > m_slots.size())
        growSlots();
    const ScanBlock behind{.address = (segment + 1) << kSegmentBits};
    const auto first = m_blocks.begin() + static_cast<std::ptrdiff_t>(firstBlock);
    const std::ptrdiff_t blocks = std::lower_bound(first, m_blocks.end(), behind, isBefore) - first;
    const unsigned pieceBits = blocks <= kFewInSegment ? kSegmentBits
        : blocks > kManyInSegment                      ? kSmallPieceBits
                                                       : kPageBits;
    const Slot slot{segment, static_cast<std::uint32_t>(m_firstBlock.size()), pieceBits};
    m_firstBlock.resize(m_firstBlock.size() + (std::size_t{1} << (kSegmentBits - pieceBits)), kNone);
    const std::size_t mask = m_slots.size() - 1;
    std::size_t at = hashOf(segment) & mask;
    while (m_slots[at].segment != UINT64_MAX)
        at = (at + 1) & mask;
    m_slots[at] = slot;
    ++m_segmentCount;
    return slot;
}

void BlockIndex::growSlots()
{
    std::vector<Slot> old(m_slots.size() * 2);
    std::swap(old, m_slots);
    const std::size_t mask = m_slots.size() - 1;
    for (const Slot &slot : old) {
        if (slot.segment == UINT64_MAX)
            continue;
        std::size_t at = hashOf(slot.segment) & mask;
        while (m_slots[at].segment != UINT64_MAX)
            at = (at + 1) & mask;
        m_slots[at] = slot;
    }
}

std::uint32_t BlockIndex::find(std::uint64_t address) const
{
    const Slot *slot = slotOf(address >> kSegmentBits);
    return slot ? findFrom(m_firstBlock[slot->pieceOf(address)], address) : findLong(address);
}

void BlockIndex::find(std::span<const std::uint64_t> addresses, std::uint32_t *found) const
{
    std::array<std::uint32_t, kMostAtOnce> pieces;
    for (std::size_t i = 0; i < addresses.size(); ++i) {
        const Slot *slot = slotOf(addresses[i] >> kSegmentBits);
        pieces[i] = slot ? slot->pieceOf(addresses[i]) : kNone;
        if (slot)
            __builtin_prefetch(&m_firstBlock[pieces[i]]);
    }
    for (std::size_t i = 0; i < addresses.size(); ++i) {
        found[i] = pieces[i] != kNone ? m_firstBlock[pieces[i]] : kNone;
        if (found[i] != kNone) {
            __builtin_prefetch(&m_blocks[found[i]]);
            __builtin_prefetch(reinterpret_cast<const char *>(&m_blocks[found[i]] + 1) - 1); // may be on two lines
        }
    }
    for (std::size_t i = 0; i < addresses.size(); ++i)
        found[i] = pieces[i] != kNone ? findFrom(found[i], addresses[i]) : findLong(addresses[i]);
}

/// The block within which `address` lies, of those that have segments of their own.
std::uint32_t BlockIndex::findLong(std::uint64_t address) const
{
    const auto next = std::partition_point(m_longBlocks.begin(), m_longBlocks.end(),
        [&](std::uint32_t block) { return m_blocks[block].address <= address; });
    return next != m_longBlocks.begin() && address < m_blocks[next[-1]].end() ? next[-1] : kNone;
}

} // namespace model
