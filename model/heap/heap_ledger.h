// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/heap/age_book.h"
#include "model/heap/heap_counts.h"
#include "model/heap/live_heap.h"
#include "model/heap/peak_tracker.h"
#include "model/heap/sample_weight.h"
#include "model/heap/size_bins.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory_resource>
#include <vector>

namespace model {

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
    /// `isSampling`: keeps HeapSampling too. `ageBucket`: length of the first buckets of the histories of ages. `memory` gives the accounts of the
    /// stacks, and outlives the ledger.
    explicit HeapLedger(bool isSampling = false, Duration ageBucket = kFirstAgeBucket,
        std::pmr::memory_resource *memory = std::pmr::get_default_resource())
        : m_ages(ageBucket)
        , m_isSampling(isSampling)
        , m_accounts(memory)
    {
    }

    /// The birth, in microseconds of the recording, that a block allocated at `timeUs` has to be given.
    std::int64_t bornAt(std::int64_t timeUs) { return m_ages.bornAt(timeUs); }

    void allocated(std::uint32_t node, std::uint64_t size, const SampleWeight &weight, std::int64_t timeUs);
    void allocated(std::uint32_t node, std::uint64_t size, std::int64_t timeUs)
    {
        allocated(node, size, {1, static_cast<std::int64_t>(size), 0, 0, 0}, timeUs);
    }
    /// The block that `node` allocated is gone; `isTemporary` if its thread allocated nothing in between.
    void freed(const LiveBlock &block, const SampleWeight &weight, std::int64_t timeUs, bool isTemporary);
    void freed(const LiveBlock &block, std::int64_t timeUs, bool isTemporary)
    {
        freed(block, {1, static_cast<std::int64_t>(block.size), 0, 0, 0}, timeUs, isTemporary);
    }
    /// The same where nothing is sampled and each block stands for itself: the shortest way, inlined.
    [[gnu::always_inline]] void allocatedOne(std::uint32_t node, std::uint64_t size, std::int64_t timeUs)
    {
        count(accountOf(node), size, 1, static_cast<std::int64_t>(size), timeUs);
    }
    [[gnu::always_inline]] void freedOne(
        std::uint32_t node, std::uint64_t size, std::int64_t birthUs, std::int64_t timeUs, bool isTemporary)
    {
        discount(accountOf(node), birthUs, 1, static_cast<std::int64_t>(size), timeUs, isTemporary);
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
    /// What each event touches comes first, in one cache line.
    struct alignas(64) Account
    {
        HeapCounts tick;
        std::uint64_t noted
            = 0;          ///< PeakTracker::number() if this change needs neither be noted for the peak nor for the tick
        HeapLevel before; ///< what was live when the tick began
        PeakShare share;
        HeapLevel sentPeak;
        std::uint32_t node = 0;
        bool isInTick = false;

        HeapLevel live() const
        {
            HeapLevel level = before;
            addWrapping(level.bytes, tick.allocatedBytes);
            subtractWrapping(level.bytes, tick.freedBytes);
            level.blocks += tick.allocations - tick.frees;
            return level;
        }
    };

    Account &accountOf(std::uint32_t node)
    {
        if (node < m_nodes && m_accountOf[node] != 0) [[likely]]
            return m_accounts[m_accountOf[node] - 1];
        return addAccount(node);
    }
    Account &addAccount(std::uint32_t node);
    void note(Account &account);

    [[gnu::always_inline]] void count(
        Account &account, std::uint64_t size, std::int64_t blocks, std::int64_t bytes, std::int64_t timeUs)
    {
        m_peak.beforeRise(bytes);
        if (account.noted != m_peak.number()) [[unlikely]]
            note(account);
        account.tick.allocations += blocks;
        addWrapping(account.tick.allocatedBytes, bytes);
        HeapBin &bin = m_tick.sizes[sizeBin(size)];
        bin.count += blocks;
        addWrapping(bin.bytes, bytes);
        m_peak.rise(bytes, blocks, timeUs);
        if (m_peak.live().bytes > m_tick.mostLiveBytes)
            m_tick.mostLiveBytes = m_peak.live().bytes;
    }
    [[gnu::always_inline]] void discount(Account &account, std::int64_t birthUs, std::int64_t blocks,
        std::int64_t bytes, std::int64_t timeUs, bool isTemporary)
    {
        m_peak.beforeFall();
        if (account.noted != m_peak.number()) [[unlikely]]
            note(account);
        account.tick.frees += blocks;
        addWrapping(account.tick.freedBytes, bytes);
        if (m_ages.isOld(birthUs))
            m_ages.diedOld(indexOf(account), birthUs);
        if (isTemporary) {
            account.tick.temporaries += blocks;
            addWrapping(account.tick.temporaryBytes, bytes);
        }
        HeapBin &bin = m_tick.lifetimes[lifetimeBin(timeUs - birthUs)];
        bin.count += blocks;
        addWrapping(bin.bytes, bytes);
        m_peak.fall(bytes, blocks, timeUs);
        if (m_peak.live().bytes < m_tick.leastLiveBytes)
            m_tick.leastLiveBytes = m_peak.live().bytes;
    }
    std::uint32_t indexOf(const Account &account) const
    {
        return static_cast<std::uint32_t>(&account - m_accounts.data());
    }
    void takePeak(HeapTickCounts &tick);

    PeakTracker m_peak;
    AgeBook m_ages; ///< by account
    HeapLevel m_sentPeak;
    std::vector<std::uint32_t> m_accountOf; ///< by node: index into m_accounts + 1, 0: none yet
    std::uint32_t m_nodes = 0;              ///< its size
    bool m_isSampling;
    std::pmr::vector<Account> m_accounts;
    std::vector<HeapSampling> m_sampling;     ///< parallel to m_accounts while sampling, else empty
    std::vector<std::int64_t> m_sampledFrees; ///< of the tick; likewise
    std::vector<std::uint32_t> m_inTick;      ///< accounts that changed in this tick
    HeapCounts m_reweighed;                   ///< part of the rows of this tick
    HeapTickCounts m_tick;
};

} // namespace model
