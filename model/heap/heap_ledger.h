// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/heap/age_book.h"
#include "model/heap/live_heap.h"
#include "model/heap/peak_tracker.h"
#include "model/heap/sample_weight.h"
#include "model/heap/size_bins.h"

#include <array>
#include <cstdint>
#include <vector>

namespace model {

/// Allocations and frees of some span. A value, so sums and differences are free.
struct HeapCounts
{
    std::int64_t allocations = 0;
    std::int64_t allocatedBytes = 0;
    std::int64_t frees = 0;
    std::int64_t freedBytes = 0;
    std::int64_t temporaries = 0;
    std::int64_t temporaryBytes = 0;

    HeapCounts &operator+=(const HeapCounts &other);
    friend bool operator==(const HeapCounts &, const HeapCounts &) = default;
};

/// Where bytes are sampled: how many samples the counts of a span rest on, and how far they may be off. Variances add up.
struct HeapSampling
{
    std::int64_t samples = 0;      ///< allocations that were recorded
    double allocationVariance = 0; ///< of HeapCounts::allocations
    double allocatedVariance = 0;  ///< of HeapCounts::allocatedBytes; bytes²
    double freeVariance = 0; ///< what the freed blocks had added; live = allocated − freed holds for variances too
    double freedVariance = 0;
    std::int64_t periodBytes
        = 0; ///< the longest sampling period of what the counts rest on; 0: every event. Sums keep the longest

    HeapSampling &operator+=(const HeapSampling &other);
    HeapSampling &operator-=(const HeapSampling &other);
};

inline constexpr std::size_t kLifetimeBinCount = 48;
/// The bin of a block's lifetime: bin b holds [2^b, 2^(b+1)) µs, bin 0 also everything shorter.
std::uint16_t lifetimeBin(std::int64_t lifetimeUs);

/// Count and bytes of one histogram bin.
struct HeapBin
{
    std::int64_t count = 0;
    std::int64_t bytes = 0;
};

/// What the books of one stack change by when some of its live blocks begin to stand for others, see HeapLedger::reweigh().
struct HeapReweighing
{
    std::int64_t blocks = 0; ///< what is live from now on minus what was
    std::int64_t bytes = 0;
    double blockVariance = 0;
    double byteVariance = 0;
    std::int64_t periodBytes = 0;
};

/// What a tick of one heap consisted of. Rows are named by the recorder's stack nodes.
struct HeapTickCounts
{
    struct Row
    {
        std::uint32_t node = 0;
        HeapCounts counts;
        HeapSampling sampling;
    };
    struct PeakRow
    {
        std::uint32_t node = 0;
        HeapLevel level;
    };
    std::vector<Row> rows;
    std::vector<PeakRow> peakRows; ///< shares of a new peak that differ from those of the last one taken
    bool hasNewPeak = false;
    HeapLevel peak;
    std::int64_t peakTimeNs = 0;
    HeapCounts total; ///< without what reweighing changed
    HeapLevel live;
    std::int64_t leastLiveBytes = 0;
    std::int64_t mostLiveBytes = 0;
    std::array<HeapBin, kSizeBinCount> sizes{};
    std::array<HeapBin, kLifetimeBinCount> lifetimes{};
};

/// Keeps the books of one heap: per stack what was allocated and freed since the last tick, what is live, and what the highest
/// moment consisted of. One owning thread; memory grows with the number of stacks only.
class HeapLedger
{
public:
    /// `isSampling`: keeps HeapSampling too. `ageBucket`: length of the first buckets of the histories of ages.
    explicit HeapLedger(bool isSampling = false, Duration ageBucket = kFirstAgeBucket)
        : m_ages(ageBucket)
        , m_isSampling(isSampling)
    {
    }

    /// The birth, in microseconds of the recording, that a block allocated at `timeNs` has to be given.
    std::int64_t bornAt(std::int64_t timeNs) { return m_ages.bornAt(timeNs / 1000); }

    void allocated(std::uint32_t node, std::uint64_t size, const SampleWeight &weight, std::int64_t timeNs);
    void allocated(std::uint32_t node, std::uint64_t size, std::int64_t timeNs)
    {
        allocated(node, size, {1, static_cast<std::int64_t>(size), 0, 0, 0}, timeNs);
    }
    /// The block that `node` allocated is gone; `isTemporary` if its thread allocated nothing in between.
    void freed(const LiveBlock &block, const SampleWeight &weight, std::int64_t timeNs, bool isTemporary);
    void freed(const LiveBlock &block, std::int64_t timeNs, bool isTemporary)
    {
        freed(block, {1, static_cast<std::int64_t>(block.size), 0, 0, 0}, timeNs, isTemporary);
    }

    /// Keeps HeapSampling from now on: what was recorded so far is exact.
    void beginSampling();
    /// The live blocks of `node` stand for others from now on. Live is allocated minus freed throughout, and allocations are known: what
    /// changes is what was freed, which may so become less than nothing in a tick. After beginSampling().
    void reweigh(std::uint32_t node, const HeapReweighing &change);
    /// All stacks are reweighed; before the next event.
    void endReweighing();

    /// How blocks are counted changes, so what was seen of their ages so far says nothing of those to come.
    void restartAges() { m_ages.restart(); }

    const PeakTracker &peak() const { return m_peak; }

    /// Takes the histories of ages on to `nowNs`, just before takeTick(); returns whether a bucket ended.
    bool advanceAges(std::int64_t nowNs);
    /// The histories that changed, by node; after a bucket ended. See AgeBook.
    template <typename IsLive> std::vector<std::pair<std::uint32_t, StackAges>> takeAges(IsLive isLive)
    {
        auto changed = m_ages.takeChanged(isLive);
        for (auto &[account, ages] : changed)
            account = m_accounts[account].node;
        return changed;
    }
    AgeClock ageClock() const { return m_ages.clock(); }
    /// A block that is live: shown as an example of what its stack holds, if that is followed and the block not young.
    void offerExample(std::uint64_t pointer, const LiveBlock &block);

    /// What happened since the last call, and starts anew.
    HeapTickCounts takeTick();

private:
    struct Account
    {
        PeakShare share;
        HeapLevel sentPeak;
        HeapCounts tick;
        std::uint32_t node = 0;
        bool isInTick = false;
    };

    Account &accountOf(std::uint32_t node);
    void note(Account &account);
    void takePeak(HeapTickCounts &tick);

    PeakTracker m_peak;
    AgeBook m_ages; ///< by account
    std::uint64_t m_sentPeak = 0;
    std::vector<std::uint32_t> m_accountOf; ///< by node: index into m_accounts + 1, 0: none yet
    bool m_isSampling;
    std::vector<Account> m_accounts;
    std::vector<HeapSampling> m_sampling;     ///< parallel to m_accounts while sampling, else empty
    std::vector<std::int64_t> m_sampledFrees; ///< of the tick; likewise
    std::vector<std::uint32_t> m_inTick;      ///< accounts that changed in this tick
    HeapCounts m_reweighed;                   ///< part of the rows of this tick
    HeapTickCounts m_tick;
};

} // namespace model
