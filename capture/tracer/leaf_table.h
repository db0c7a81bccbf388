// SPDX-License-Identifier: MIT
#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace capture::tracer {

/// Which nodes paths lead to, by their hash, of the process. 54 bits of it are compared, so of what is not there one in 2^40 is taken for another:
/// a wrong stack in ten days, of a program that is asked for a million unknown ones a second.
/// Neither the nodes on the way nor the tree's index need to be touched then.
///
/// Any thread, no lock. What has been said in a generation is not found in another: modules may have gone, and node numbers begun anew.
class LeafTable
{
public:
    using Entry = std::atomic<std::uint64_t>;
    static constexpr std::size_t kBytes = sizeof(Entry) << 14;

    /// Uses the kBytes at `entries`, zeroed, which it does not own. Before all else.
    void assign(Entry *entries) { m_leaves = entries; }
    bool isThere() const { return m_leaves != nullptr; }

    /// The node, or 0.
    std::uint32_t find(std::uint64_t pathHash, std::uint64_t generation) const
    {
        const std::uint64_t key = keyOf(pathHash, generation);
        const std::uint64_t found = m_leaves[place(key)].load(std::memory_order_acquire) ^ tag(key);
        return found <= kNodeMask ? static_cast<std::uint32_t>(found) : 0;
    }
    void set(std::uint64_t pathHash, std::uint64_t generation, std::uint32_t node)
    {
        const std::uint64_t key = keyOf(pathHash, generation);
        m_leaves[place(key)].store(node | tag(key), std::memory_order_release);
    }

private:
    static constexpr unsigned kBits = std::bit_width(kBytes / sizeof(Entry)) - 1, kNodeBits = 24;
    static constexpr std::uint64_t kNodeMask = (std::uint64_t{1} << kNodeBits) - 1;

    static std::uint64_t keyOf(std::uint64_t pathHash, std::uint64_t generation)
    {
        return pathHash ^ generation * 0x9e3779b97f4a7c15;
    }
    static std::size_t place(std::uint64_t key) { return static_cast<std::size_t>(key >> (64 - kBits)); }
    static std::uint64_t tag(std::uint64_t key) { return key << kNodeBits; }

    Entry *m_leaves = nullptr; ///< the node, and above it the lower bits of the key
};

} // namespace capture::tracer
