// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/heap/heap_ledger.h"

#include "model/base/wrapping_sum.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace model {

HeapCounts &HeapCounts::operator+=(const HeapCounts &other)
{
    allocations += other.allocations;
    addWrapping(allocatedBytes, other.allocatedBytes);
    frees += other.frees;
    addWrapping(freedBytes, other.freedBytes);
    temporaries += other.temporaries;
    addWrapping(temporaryBytes, other.temporaryBytes);
    return *this;
}

HeapSampling &HeapSampling::operator+=(const HeapSampling &other)
{
    samples += other.samples;
    allocationVariance += other.allocationVariance;
    allocatedVariance += other.allocatedVariance;
    freeVariance += other.freeVariance;
    freedVariance += other.freedVariance;
    periodBytes = std::max(periodBytes, other.periodBytes);
    return *this;
}

HeapSampling &HeapSampling::operator-=(const HeapSampling &other)
{
    samples -= other.samples;
    allocationVariance -= other.allocationVariance;
    allocatedVariance -= other.allocatedVariance;
    freeVariance -= other.freeVariance;
    freedVariance -= other.freedVariance;
    return *this;
}

std::uint16_t lifetimeBin(std::int64_t lifetimeUs)
{
    if (lifetimeUs < 2)
        return 0;
    const auto bin = static_cast<std::size_t>(std::bit_width(static_cast<std::uint64_t>(lifetimeUs)) - 1);
    return static_cast<std::uint16_t>(std::min(bin, kLifetimeBinCount - 1));
}

// Each event passes through both: inlined, with what is rare in them elsewhere.
[[gnu::always_inline]] inline HeapLedger::Account &HeapLedger::accountOf(std::uint32_t node)
{
    if (node < m_accountOf.size() && m_accountOf[node] != 0) [[likely]]
        return m_accounts[m_accountOf[node] - 1];
    const auto add = [&]() __attribute__((noinline))->Account &
    {
        if (node >= m_accountOf.size())
            m_accountOf.resize(std::max<std::size_t>(std::size_t{node} + 1, m_accountOf.size() * 2), 0);
        m_accounts.emplace_back().node = node;
        if (m_isSampling) {
            m_sampling.emplace_back();
            m_sampledFrees.emplace_back();
        }
        m_accountOf[node] = static_cast<std::uint32_t>(m_accounts.size());
        return m_accounts.back();
    };
    return add();
}

[[gnu::always_inline]] inline void HeapLedger::note(Account &account)
{
    if (account.isInTick) [[likely]]
        return;
    account.isInTick = true;
    m_inTick.push_back(m_accountOf[account.node] - 1);
}

void HeapLedger::allocated(std::uint32_t node, std::uint64_t size, const SampleWeight &weight, std::int64_t timeNs)
{
    Account &account = accountOf(node);
    note(account);
    account.tick.allocations += weight.blocks;
    addWrapping(account.tick.allocatedBytes, weight.bytes);
    if (m_isSampling)
        m_sampling[m_accountOf[node] - 1] += {1, weight.blockVariance, weight.byteVariance, 0, 0, weight.periodBytes};
    HeapBin &bin = m_tick.sizes[sizeBin(size)];
    bin.count += weight.blocks;
    addWrapping(bin.bytes, weight.bytes);
    m_peak.change(account.share, weight.bytes, weight.blocks, timeNs);
    m_tick.mostLiveBytes = std::max(m_tick.mostLiveBytes, m_peak.live().bytes);
}

void HeapLedger::freed(const LiveBlock &block, const SampleWeight &weight, std::int64_t timeNs, bool isTemporary)
{
    Account &account = accountOf(block.node);
    note(account);
    account.tick.frees += weight.blocks;
    addWrapping(account.tick.freedBytes, weight.bytes);
    if (m_isSampling) {
        m_sampling[m_accountOf[block.node] - 1]
            += {0, 0, 0, weight.blockVariance, weight.byteVariance, weight.periodBytes};
        ++m_sampledFrees[m_accountOf[block.node] - 1];
    }
    if (m_ages.isOld(block.birthUs))
        m_ages.diedOld(m_accountOf[block.node] - 1, block.birthUs);
    if (isTemporary) {
        account.tick.temporaries += weight.blocks;
        addWrapping(account.tick.temporaryBytes, weight.bytes);
    }
    HeapBin &bin = m_tick.lifetimes[lifetimeBin(timeNs / 1000 - block.birthUs)];
    bin.count += weight.blocks;
    addWrapping(bin.bytes, weight.bytes);
    m_peak.change(account.share, -weight.bytes, -weight.blocks, timeNs);
    m_tick.leastLiveBytes = std::min(m_tick.leastLiveBytes, m_peak.live().bytes);
}

void HeapLedger::beginSampling()
{
    if (m_isSampling)
        return;
    m_isSampling = true;
    m_sampling.resize(m_accounts.size());
    m_sampledFrees.resize(m_accounts.size());
    for (const std::uint32_t index : m_inTick) {
        m_sampling[index].samples = m_accounts[index].tick.allocations;
        m_sampledFrees[index] = m_accounts[index].tick.frees;
    }
}

void HeapLedger::reweigh(std::uint32_t node, const HeapReweighing &change)
{
    Account &account = accountOf(node);
    note(account);
    account.tick.frees -= change.blocks;
    subtractWrapping(account.tick.freedBytes, change.bytes);
    m_reweighed.frees -= change.blocks;
    subtractWrapping(m_reweighed.freedBytes, change.bytes);
    m_sampling[m_accountOf[node] - 1] += {0, 0, 0, -change.blockVariance, -change.byteVariance, change.periodBytes};
    m_peak.adjust(account.share, change.bytes, change.blocks);
}

void HeapLedger::endReweighing()
{
    m_tick.leastLiveBytes = std::min(m_tick.leastLiveBytes, m_peak.live().bytes);
    m_tick.mostLiveBytes = std::max(m_tick.mostLiveBytes, m_peak.live().bytes);
}

void HeapLedger::takePeak(HeapTickCounts &tick)
{
    tick.hasNewPeak = m_peak.peak() != m_sentPeak;
    tick.peak = m_peak.highest();
    tick.peakTimeNs = m_peak.highestTimeNs();
    if (!tick.hasNewPeak)
        return;
    m_sentPeak = m_peak.peak();
    for (Account &account : m_accounts) {
        const HeapLevel level = m_peak.atPeak(account.share);
        if (level == account.sentPeak)
            continue;
        account.sentPeak = level;
        tick.peakRows.push_back({account.node, level});
    }
}

bool HeapLedger::advanceAges(std::int64_t nowNs)
{
    for (const std::uint32_t index : m_inTick) {
        const HeapCounts &counts = m_accounts[index].tick;
        if (m_isSampling)
            m_ages.addTick(index, m_sampling[index].samples, std::exchange(m_sampledFrees[index], 0));
        else
            m_ages.addTick(index, counts.allocations, counts.frees);
    }
    return m_ages.endTick(nowNs / 1000, [this](std::uint32_t index) { return m_accounts[index].share.live; });
}

void HeapLedger::offerExample(std::uint64_t pointer, const LiveBlock &block)
{
    if (m_ages.isOld(block.birthUs) && block.node < m_accountOf.size() && m_accountOf[block.node] != 0)
        m_ages.offerExample(m_accountOf[block.node] - 1, pointer, static_cast<std::int64_t>(block.size), block.birthUs);
}

HeapTickCounts HeapLedger::takeTick()
{
    HeapTickCounts tick = std::exchange(m_tick, {});
    tick.rows.reserve(m_inTick.size());
    for (const std::uint32_t index : m_inTick) {
        Account &account = m_accounts[index];
        tick.rows.push_back(
            {account.node, account.tick, m_isSampling ? std::exchange(m_sampling[index], {}) : HeapSampling{}});
        tick.total += account.tick;
        account.tick = {};
        account.isInTick = false;
    }
    m_inTick.clear();
    tick.total.frees -= m_reweighed.frees;
    subtractWrapping(tick.total.freedBytes, m_reweighed.freedBytes);
    m_reweighed = {};
    takePeak(tick);
    tick.live = m_peak.live();
    m_tick.leastLiveBytes = tick.live.bytes;
    m_tick.mostLiveBytes = tick.live.bytes;
    return tick;
}

} // namespace model
