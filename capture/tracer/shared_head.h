// SPDX-License-Identifier: MIT
#pragma once

#include "capture/wire/sampled_blocks.h"

#include <cstddef>
#include <cstdint>

namespace capture::tracer {

/// What the shortest ways through a hook look at of the shared memory, its header and the counters of SampledBlocks: the same pages mapped
/// once more, over a part of this library. So they lie where the linker knows, and may be read by any thread at any time, without a hook held
/// meanwhile; they are zero before a recorder is met, and again after leave(). In a forked child they are its parent's, as ForkFlag tells, until its
/// first event; one that never has an event holds that memory as long as it lives.
class [[gnu::visibility("hidden")]] SharedHead
{
public:
    static const wire::Header &header() { return *reinterpret_cast<const wire::Header *>(s_pages); }

    /// As SampledBlocks::mayHold(); false also where there is no set.
    static bool mayHold(std::uint64_t pointer)
    {
        return counters()[wire::SampledBlocks::counterIndex(pointer)].load(std::memory_order_relaxed) != 0;
    }

    /// Shows the shared memory behind `descriptor`; false if that cannot be had.
    static bool show(int descriptor);
    /// Shows zeros; where the kernel refuses that, what is shown stays.
    static void clear();

private:
    static constexpr std::size_t kHeaderBytes = wire::kSlotsOffset;
    static constexpr std::size_t kCounterBytes = std::size_t{1} << wire::kSampledCounterBits;
    static_assert(kCounterBytes % 4096 == 0 && wire::kSampledOffset % 4096 == 0);

    static const std::atomic<std::uint8_t> *counters()
    {
        return reinterpret_cast<const std::atomic<std::uint8_t> *>(s_pages + kHeaderBytes);
    }

    alignas(4096) static unsigned char s_pages[kHeaderBytes + kCounterBytes];
};

} // namespace capture::tracer
