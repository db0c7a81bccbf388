// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/heap/heap_ledger.h"

#include "model/base/wrapping_sum.h"

#include <algorithm>
#include <utility>

namespace model {

[[gnu::noinline]] HeapLedger::Account &HeapLedger::addAccount(std::uint32_t node)
{
    if (node >= m_accountOf.size()) {
        m_accountOf.resize(std::max<std::size_t>(std::size_t{node} + 1, m_accountOf.size() * 2), 0);
        m_nodes = static_cast<std::uint32_t>(m_accountOf.size());
    }
    m_accounts.emplace_back().node = node;
    if (m_isSampling) {
        m_sampling.emplace_back();
        m_sampledFrees.emplace_back();
    }
    m_accountOf[node] = static_cast<std::uint32_t>(m_accounts.size());
    return m_accounts.back();
}

[[gnu::noinline]] void HeapLedger::note(Account &account)
{
    if (!account.isInTick) {
        account.isInTick = true;
        m_inTick.push_back(indexOf(account));
    }
    m_peak.note(account.share, account.live());
    account.noted = m_peak.number();
}

void HeapLedger::allocated(std::uint32_t node, std::uint64_t size, const SampleWeight &weight, std::int64_t timeUs)
{
    Account &account = accountOf(node);
    if (m_isSampling)
        m_sampling[indexOf(account)] += {1, weight.blockVariance, weight.byteVariance, 0, 0, weight.periodBytes};
    count(account, size, weight.blocks, weight.bytes, timeUs);
}

void HeapLedger::freed(const LiveBlock &block, const SampleWeight &weight, std::int64_t timeUs, bool isTemporary)
{
    Account &account = accountOf(block.node);
    if (m_isSampling) {
        m_sampling[indexOf(account)] += {0, 0, 0, weight.blockVariance, weight.byteVariance, weight.periodBytes};
        ++m_sampledFrees[indexOf(account)];
    }
    discount(account, block.birthUs, weight.blocks, weight.bytes, timeUs, isTemporary);
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
    m_peak.beforeFall();
    note(account);
    account.tick.frees -= change.blocks;
    subtractWrapping(account.tick.freedBytes, change.bytes);
    m_reweighed.frees -= change.blocks;
    subtractWrapping(m_reweighed.freedBytes, change.bytes);
    m_sampling[indexOf(account)] += {0, 0, 0, -change.blockVariance, -change.byteVariance, change.periodBytes};
    m_peak.adjust(change.bytes, change.blocks);
}

void HeapLedger::endReweighing()
{
    m_peak.endAdjusting();
    m_tick.leastLiveBytes = std::min(m_tick.leastLiveBytes, m_peak.live().bytes);
    m_tick.mostLiveBytes = std::max(m_tick.mostLiveBytes, m_peak.live().bytes);
}

void HeapLedger::takePeak(HeapTickCounts &tick)
{
    tick.peak = m_peak.highest();
    tick.hasNewPeak = tick.peak != m_sentPeak;
    tick.peakTimeNs = m_peak.highestTimeUs() * 1000;
    if (!tick.hasNewPeak)
        return;
    m_sentPeak = tick.peak;
    for (Account &account : m_accounts) {
        const HeapLevel level = m_peak.atPeak(account.share, account.live());
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
    return m_ages.endTick(nowNs / 1000, [this](std::uint32_t index) { return m_accounts[index].live(); });
}

void HeapLedger::offerExample(std::uint64_t pointer, const LiveBlock &block)
{
    if (m_ages.isOld(block.birthUs) && block.node < m_accountOf.size() && m_accountOf[block.node] != 0)
        m_ages.offerExample(m_accountOf[block.node] - 1, pointer, static_cast<std::int64_t>(block.size), block.birthUs);
}

HeapTickCounts HeapLedger::takeTick()
{
    HeapTickCounts tick = std::exchange(m_tick, {});
    takePeak(tick);
    tick.rows.reserve(m_inTick.size());
    for (const std::uint32_t index : m_inTick) {
        Account &account = m_accounts[index];
        tick.rows.push_back(
            {account.node, account.tick, m_isSampling ? std::exchange(m_sampling[index], {}) : HeapSampling{}});
        tick.total += account.tick;
        account.before = account.live();
        account.tick = {};
        account.noted = 0;
        account.isInTick = false;
    }
    m_inTick.clear();
    tick.total.frees -= m_reweighed.frees;
    subtractWrapping(tick.total.freedBytes, m_reweighed.freedBytes);
    m_reweighed = {};
    tick.live = m_peak.live();
    m_tick.leastLiveBytes = tick.live.bytes;
    m_tick.mostLiveBytes = tick.live.bytes;
    return tick;
}

} // namespace model
