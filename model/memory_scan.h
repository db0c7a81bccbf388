// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/base/ids.h"
#include "model/base/units.h"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace model {

/// What a look at all pointers of a stopped process says about a block. The names are those of Valgrind's memcheck.
enum class ReachClass : std::uint8_t {
    Reachable = 0,  ///< a chain of pointers to begins of blocks leads to it from a root
    Possibly = 1,   ///< reachable, but only through a pointer into the middle of a block
    Indirectly = 2, ///< lost, and a lost block points to it
    Directly = 3,   ///< lost, and no other lost block points to it: freeing it is what was forgotten
    Unjudged
    = 4, ///< looks lost, but is too young (its pointer may be on its way) or from before events were lost (its free may be among them)
};
inline constexpr std::size_t kReachClassCount = 5;

/// Key of a class as in reports: "definitely_lost". The two kinds of lost blocks are called definitely and indirectly lost.
std::string_view reachClassKey(ReachClass reach);
/// The same for people: "Definitely lost".
std::string_view reachClassLabel(ReachClass reach);

/// Blocks and the bytes that were asked for them.
struct BlockSum
{
    std::int64_t blocks = 0;
    std::int64_t bytes = 0;

    BlockSum &operator+=(const BlockSum &other)
    {
        blocks += other.blocks;
        bytes += other.bytes;
        return *this;
    }
    friend bool operator==(const BlockSum &, const BlockSum &) = default;
};
using ReachSums = std::array<BlockSum, kReachClassCount>; ///< by ReachClass

/// What a scan says about the blocks that one stack allocated.
struct ScannedStack
{
    StackId stack;
    ReachSums sums{};
    BlockSum confirmed; ///< of the lost ones: lost in an earlier scan too
    BlockSum
        held; ///< what the directly lost blocks of this stack hold: themselves and the indirectly lost ones behind them
    BlockSum
        retained; ///< what would go if the reachable blocks of this stack went: all that only they lead to, themselves included
};

/// A step on the way from a root to a block: a block, and how many of the same stack follow each other.
struct HolderStep
{
    StackId stack;
    std::int64_t blocks = 1;
};

/// Who holds a block: the shortest way from a root to it.
struct HolderPath
{
    StackId stack;     ///< that allocated the block
    BlockSum retained; ///< by this block alone
    /// "stack of thread 4711", "variable server +0x18 of redis-server", "variables of redis-server +0x4f20"
    std::string root;
    std::vector<HolderStep> way; ///< from the root on; the last one is the block itself
};

/// Which blocks a lost one can be told from.
enum class ScanProof : std::uint8_t {
    Complete = 0,   ///< every block is known from the program's begin: what is called lost is lost
    LowerBound = 1, ///< some blocks are not known; whatever lies between known blocks counts as held
};

/// One look at all pointers of a process, which stood still for it.
struct MemoryScan
{
    std::uint32_t id = 0; ///< from 1, in the order in which they were begun
    ImageId image;
    Timestamp when; ///< of the stop
    ScanProof proof = ScanProof::Complete;
    std::string limits; ///< why it is a lower bound, what was not seen, how memory was read, as sentences; may be empty
    std::uint32_t confirms = 0;    ///< id of the scan that `confirmed` is about; 0: there was none
    std::int64_t stopNs = 0;       ///< how long the process stood still, all tries together
    std::int64_t analysisNs = 0;   ///< what it took afterwards, while the process ran
    std::int64_t scannedBytes = 0; ///< of memory that was looked through
    std::int64_t unreadableBytes = 0;
    std::int64_t threads = 0;          ///< that were stopped
    std::int64_t missedThreads = 0;    ///< that could not be
    std::int64_t interruptedCalls = 0; ///< waiting calls that the stop made fail with EINTR
    std::int64_t minAgeNs = 0;         ///< younger blocks are not judged
    ReachSums sums{};
    BlockSum confirmed;
    /// Stacks of which anything is not plainly reachable, and those that retain most; greatest loss first.
    std::vector<ScannedStack> stacks;
    std::vector<HolderPath> paths; ///< of the blocks that retain most; greatest first

    BlockSum lost() const
    {
        BlockSum sum = sums[static_cast<std::size_t>(ReachClass::Directly)];
        return sum += sums[static_cast<std::size_t>(ReachClass::Indirectly)];
    }
};

} // namespace model
