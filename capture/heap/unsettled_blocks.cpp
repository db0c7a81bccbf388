// SPDX-License-Identifier: GPL-3.0-or-later
#include "capture/heap/unsettled_blocks.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace capture {

void UnsettledAddress::add(const UnsettledEvent &event)
{
    events.push_back(event);
    surplus += event.isFree ? -1 : 1;
    noteIfOdd(event.units);
}

void UnsettledAddress::noteIfOdd(std::uint64_t units)
{
    if (surplus < 0 || surplus > 1)
        oddUnits = units;
}

/// By event, and last the block from before: whether all others can have taken turns before it. Empty where that cannot be told.
std::vector<bool> UnsettledAddress::possibleLasts() const
{
    constexpr std::size_t kMost = 12;
    const std::size_t count = events.size() + (wasLive ? 1 : 0);
    if (count > kMost)
        return {};
    std::vector<std::uint32_t> before(count, 0); ///< the events that each one's thread had done before
    std::uint32_t frees = 0;
    for (std::size_t i = 0; i < events.size(); ++i) {
        frees |= events[i].isFree ? 1u << i : 0;
        for (std::size_t earlier = 0; earlier < i; ++earlier)
            before[i] |= events[earlier].thread == events[i].thread ? 1u << earlier : 0;
    }
    // Each set of events that can have happened before all others, from the empty one on.
    const std::uint32_t all = (1u << count) - 1;
    std::vector<bool> isPossible(std::size_t{all} + 1, false);
    isPossible[0] = true;
    for (std::uint32_t done = 0; done < all; ++done) {
        if (!isPossible[done])
            continue;
        const bool isLive = std::popcount(done & ~frees) > std::popcount(done & frees);
        for (std::size_t next = 0; next < count; ++next)
            if ((done >> next & 1) == 0 && (before[next] & ~done) == 0 && (frees >> next & 1) == (isLive ? 1 : 0))
                isPossible[done | 1u << next] = true;
    }
    std::vector<bool> lasts(count);
    for (std::size_t i = 0; i < count; ++i)
        lasts[i] = (frees >> i & 1) == 0 && isPossible[all & ~(1u << i)];
    return lasts;
}

std::optional<std::size_t> UnsettledAddress::lastBlock() const
{
    std::vector<bool> lasts = possibleLasts();
    if (std::find(lasts.begin(), lasts.end(), true) == lasts.end()) { // events were lost: the stamps are all there is
        lasts.assign(events.size() + 1, true);
        lasts.back() = wasLive;
    }
    std::optional<std::size_t> last;
    for (std::size_t i = 0; i < events.size(); ++i)
        if (!events[i].isFree && lasts[i] && (!last || events[*last].units <= events[i].units))
            last = i;
    return last;
}

UnsettledAddress *UnsettledBlocks::find(std::uint64_t pointer)
{
    const auto found = std::find_if(m_addresses.begin(), m_addresses.end(),
        [=](const UnsettledAddress &address) { return address.pointer == pointer; });
    return found != m_addresses.end() ? &*found : nullptr;
}

UnsettledAddress &UnsettledBlocks::open(std::uint64_t pointer, bool wasLive)
{
    m_addresses.push_back({pointer, wasLive, wasLive ? 1 : 0, 0, {}});
    return m_addresses.back();
}

UnsettledEvent *UnsettledBlocks::reallocOf(const ThreadHistory *thread)
{
    for (UnsettledAddress &address : m_addresses)
        for (UnsettledEvent &event : address.events)
            if (event.isRealloc && event.thread == thread)
                return &event;
    return nullptr;
}

void UnsettledBlocks::removeReallocOf(const ThreadHistory *thread, std::uint64_t units)
{
    for (UnsettledAddress &address : m_addresses) {
        const auto isIt = [=](const UnsettledEvent &event) { return event.isRealloc && event.thread == thread; };
        if (std::erase_if(address.events, isIt) == 0)
            continue;
        ++address.surplus;
        address.noteIfOdd(units);
    }
}

std::optional<UnsettledAddress> UnsettledBlocks::takeBefore(std::uint64_t units)
{
    const auto due = std::find_if(m_addresses.begin(), m_addresses.end(),
        [=](const UnsettledAddress &address) { return address.oddUnits + kSkewUnits < units || address.isFull(); });
    if (due == m_addresses.end())
        return std::nullopt;
    std::optional<UnsettledAddress> taken = std::move(*due);
    m_addresses.erase(due);
    return taken;
}

} // namespace capture
