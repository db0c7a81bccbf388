// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "capture/wire/sampled_blocks.h"
#include "capture/wire/shared_ring.h"
#include "model/base/result.h"

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace capture {

/// The memory that the recorder shares with one program image: makes, seals and maps the memfd, and gives it pages ahead of the target's
/// use, so that neither a hostile nor a starved target can fault on them. One owning thread at a time.
class ImageMemory
{
public:
    /// `recorderPid` as the target sees it; 0 if it cannot. `samplePeriodBytes`: of the first order, see wire::Order.
    static model::Result<std::unique_ptr<ImageMemory>> create(
        wire::Clock clock, std::uint32_t recorderPid, std::uint64_t samplePeriodBytes = 0);
    ~ImageMemory();
    ImageMemory(const ImageMemory &) = delete;
    ImageMemory &operator=(const ImageMemory &) = delete;

    wire::MemoryView view() const { return m_view; }
    /// The memfd, for SCM_RIGHTS. Owned here.
    int descriptor() const { return m_descriptor; }

    /// Adds `count` slots with a first ring each. False if the budget or the number of slots is used up.
    bool addSlots(std::uint32_t count);
    std::uint32_t slotCount() const { return m_slots; }
    /// Where the first ring of a slot made by addSlots() lies.
    std::uint64_t firstRingOffset(std::uint32_t slot) const { return m_firstRings[slot]; }

    /// A ring of `records` (a power of two) with pages; 0 if the budget is used up.
    std::uint64_t takeRing(std::uint32_t records);
    void giveRingBack(std::uint64_t offset, std::uint32_t records);

    /// Keeps memory for nodes ahead of what the target uses. False if there is none.
    bool commitNodes();

    /// Gives memory to the set of sampled blocks, once: room for those of this period, and for `expected` blocks to be about half of what
    /// it holds. False if that is not to be had, or if the set was made and is smaller.
    bool provideSampledBlocks(std::uint64_t samplePeriodBytes, std::uint64_t expected);
    /// Whether it would be large enough.
    bool hasRoomForSamples(std::uint64_t samplePeriodBytes, std::uint64_t expected) const;
    /// More are never to be `expected`.
    static constexpr std::uint64_t kMostExpected = wire::kMostSampledBuckets * wire::SampledBlocks::kBucketSize / 2;
    /// The set, after provideSampledBlocks(); of no capacity before.
    const wire::SampledBlocks &sampledBlocks() const { return m_sampledBlocks; }

    /// Answers the target's question of this number, and wakes who waits for it. What of `text` does not fit is cut.
    void answer(std::uint32_t question, wire::ScopeVerdict verdict, std::string_view text);

    /// Tells the target's threads to record by this order from their next event on. Returns its number.
    std::uint32_t giveOrder(std::uint64_t samplePeriodBytes, bool tellsAllFrees);
    /// Tells them to record no more.
    void stop();

private:
    ImageMemory(int descriptor, unsigned char *base);
    bool commit(std::uint64_t offset, std::uint64_t bytes);

    int m_descriptor;
    wire::MemoryView m_view;
    std::uint32_t m_slots = 0;
    std::uint32_t m_committedNodes = 0;
    std::uint64_t m_ringsEnd = wire::kRingsOffset;
    std::vector<std::uint64_t> m_firstRings;
    wire::SampledBlocks m_sampledBlocks;
    std::uint32_t m_nextOrder = 0;
    bool m_isStopped = false;
    bool m_hasAnswerMemory = false;
    struct FreeRing
    {
        std::uint64_t offset;
        std::uint32_t records;
    };
    std::vector<FreeRing> m_freeRings;
};

} // namespace capture
