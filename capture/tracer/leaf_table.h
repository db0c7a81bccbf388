// SPDX-License-Identifier: MIT
#pragma once

#include <cstddef>
#include <cstdint>

namespace capture::tracer {

/// Which node a path came to before, by a hash of the path. Only a guess: the tree itself says whether it is right. Finding that out are
/// loads that nothing waits for, where interning frame by frame is a chain of look-ups.
///
/// One thread's; forget() before the first use and whenever nodes mean something else.
class LeafTable
{
public:
    /// Adds a frame's address to a path's hash.
    static std::uint64_t mixed(std::uint64_t hash, std::uint64_t address)
    {
        return ((hash << 7) | (hash >> 57)) ^ address;
    }
    /// The hash of a path that begins at the node `above`, as the table takes it.
    static std::uint64_t finished(std::uint64_t hash, std::uint32_t above)
    {
        return (hash ^ (std::uint64_t{above} << 20)) * 0x9e3779b97f4a7c15;
    }

    /// The node, or what is no node's number, if another path's hash stands there.
    std::uint32_t guess(std::uint64_t finishedHash) const { return m_leaves[place(finishedHash)] ^ tag(finishedHash); }
    static bool isNode(std::uint32_t guess) { return guess <= kNodeMask; }
    void set(std::uint64_t finishedHash, std::uint32_t node)
    {
        m_leaves[place(finishedHash)] = node | tag(finishedHash);
    }
    void forget() { __builtin_memset(m_leaves, 0, sizeof m_leaves); }

private:
    static constexpr unsigned kBits = 12, kNodeBits = 24;
    static constexpr std::uint32_t kNodeMask = (std::uint32_t{1} << kNodeBits) - 1;

    static std::size_t place(std::uint64_t hash) { return static_cast<std::size_t>(hash >> (64 - kBits)); }
    static std::uint32_t tag(std::uint64_t hash)
    {
        return static_cast<std::uint32_t>(hash >> (32 - kBits)) & ~kNodeMask;
    }

    std::uint32_t m_leaves[std::size_t{1} << kBits]; ///< the node, and above it more bits of the hash
};

} // namespace capture::tracer
