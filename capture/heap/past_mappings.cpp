// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/heap/past_mappings.h"

#include <algorithm>
#include <utility>

namespace capture {

void PastMappings::keep(Image image)
{
    m_ranges += image.mappings.ranges().size();
    m_images.push_back(std::move(image));
    while (m_images.size() > kMostImages || (m_ranges > kMostRanges && m_images.size() > 1)) {
        m_ranges -= m_images.front().mappings.ranges().size();
        m_images.pop_front();
    }
}

const PastMappings::Image *PastMappings::find(std::uint64_t number) const
{
    const auto it
        = std::find_if(m_images.begin(), m_images.end(), [=](const Image &image) { return image.number == number; });
    return it != m_images.end() ? &*it : nullptr;
}

} // namespace capture
