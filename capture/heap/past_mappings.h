// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/heap/mapped_ranges.h"

#include <cstddef>
#include <cstdint>
#include <deque>

namespace capture {

/// What program images had mapped that have ended, for forked children of theirs that come later: a daemon's first event may be long after
/// the end of who forked it. As it stood at that end: what was mapped or unmapped between the fork and that is wrong in the child. The last ones
/// only, and of those not more ranges than kMostRanges together, but always the last one's.
/// Used under the instrument's lock.
class PastMappings
{
public:
    struct Image
    {
        std::uint64_t number = 0; ///< see Arrival
        bool isWhole = false;     ///< these are all that it had mapped
        model::MappedRanges mappings;
    };

    void keep(Image image);
    /// Null: it is not there (any more).
    const Image *find(std::uint64_t number) const;

    static constexpr std::size_t kMostImages = 64;
    static constexpr std::size_t kMostRanges = 65'536;

private:
    std::deque<Image> m_images; ///< in the order in which they ended
    std::size_t m_ranges = 0;   ///< of all
};

} // namespace capture
