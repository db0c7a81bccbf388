// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>

namespace model {

/// Address ranges that a program has mapped, each with who did it and what sort it is. What is mapped over something replaces it; what
/// is unmapped may be part of a range, or span many. One owning thread.
class MappedRanges
{
public:
    struct Range
    {
        std::uint64_t end = 0;
        std::uint32_t node = 0; ///< the stack that mapped it
        std::uint8_t sort = 0;
    };

    /// Told of each piece that goes: the range it belonged to, its bytes, and in how many pieces the rest is left (0: it was all of it).
    using Gone = std::function<void(const Range &range, std::uint64_t bytes, int left)>;

    /// Adds [begin, end). False if there are too many already: then nothing was done.
    bool add(std::uint64_t begin, const Range &range, const Gone &gone);
    void remove(std::uint64_t begin, std::uint64_t end, const Gone &gone);

    /// The range that holds `address`; null if none does.
    const Range *find(std::uint64_t address) const;

    /// By begin.
    const std::map<std::uint64_t, Range> &ranges() const { return m_ranges; }

    static constexpr std::size_t kMostRanges = 1u << 20;

private:
    std::map<std::uint64_t, Range> m_ranges;
};

} // namespace model
