// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/reach/reachability.h"

#include <cstdint>
#include <functional>
#include <optional>

namespace model {

/// What is read of a block to tell whether a pointer into its middle is how compilers and libraries keep it.
struct BlockHead
{
    std::uint64_t words[2] = {0, 0}; ///< its first two; what it is too short for is 0
    std::uint64_t atPointer = 0;     ///< the word that the pointer leads to
};

/// Whether an address is that of a table of virtual functions. Asked for words of blocks.
using IsVirtualTable = std::function<bool(std::uint64_t address)>;

/// Whether a pointer `offset` bytes into a block of `size` is one that stands for the block (memcheck's --leak-check-heuristics): behind the
/// count of an array with destructors, behind a length, the text of a std::string of the old kind, or a base class of several.
bool standsForBlock(const BlockHead &head, std::uint64_t offset, std::uint64_t size, const IsVirtualTable &isTable);

/// Reads the head of a block of the process; empty if it is gone.
using ReadHead = std::function<std::optional<BlockHead>(const ScanBlock &block, std::uint64_t offset)>;

/// Makes the pointers into the middle of blocks that stand for the block exact, of those blocks that are held in no better way. Whether there
/// were any: then mark anew.
bool promoteInterior(PointerGraph &graph, const Marks &marks, const BlockIndex &blocks, const ReadHead &readHead,
    const IsVirtualTable &isTable);

} // namespace model
