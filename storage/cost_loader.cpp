// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/cost_loader.h"

#include "storage/cost_sums.h"

#include <algorithm>
#include <bit>
#include <string>

namespace storage {

namespace {

using model::Result;

/// The rows of ticks in (after, last]: the bound below is the scan's parameter.
std::string tickRange(TickRange ticks, const std::string &order)
{
    return " WHERE tick > ? AND tick <= " + std::to_string(ticks.last) + " ORDER BY " + order;
}

std::int64_t count(const Statement &row, int column) { return std::max<std::int64_t>(row.integer(column), 0); }

/// A variance; a number that can be none reads as 0.
double variance(double value)
{
    constexpr double kMost = 1e60; // sums of them stay finite
    return value >= 0 && value < kMost ? value : 0;
}
double variance(std::int64_t bits) { return variance(std::bit_cast<double>(bits)); }

/// What was freed and its variance may be less than nothing: where sampling began, live became an estimate.
std::int64_t freed(std::int64_t value) { return std::max<std::int64_t>(value, -(std::int64_t{1} << 62)); }
double freedVariance(double value) { return value < 0 ? -variance(-value) : variance(value); }
double freedVariance(std::int64_t bits) { return freedVariance(std::bit_cast<double>(bits)); }

bool isBelow(std::int64_t value, std::size_t end) { return value >= 0 && static_cast<std::uint64_t>(value) < end; }

/// Fetches and checks the costs of a session.
class CostFetcher
{
public:
    CostFetcher(Database &database, Damage &damage, const LoadedSession &session)
        : m_database(database)
        , m_damage(damage)
        , m_session(session)
    {
    }

    Result<void> heapTicks(TickRange ticks, const HeapRowHandler &handler);
    Result<void> samplingTicks(TickRange ticks, const SamplingRowHandler &handler);
    Result<void> cpuTicks(TickRange ticks, const CpuRowHandler &handler);
    Result<void> heapPacked(PackedTable table, TickRange buckets, const HeapRowHandler &handler);
    Result<void> samplingPacked(PackedTable table, TickRange buckets, const SamplingRowHandler &handler);
    Result<void> cpuPacked(PackedTable table, TickRange buckets, const CpuRowHandler &handler);

    /// Calls `ticks` or `buckets` for each of the ranges that cover [first, last).
    template <typename Ticks, typename Buckets>
    Result<void> cover(std::size_t first, std::size_t last, const Ticks &ticks, const Buckets &buckets)
    {
        for (const TickRange &range : m_session.ticks.cover(first, last))
            if (auto done = levelOf(range.first) == 0 ? ticks(range) : buckets(range); !done)
                return done;
        return {};
    }

private:
    const model::ProgramTables &tables() const { return *m_session.tables; }

    /// A stack that does not exist reads as one that could not be read.
    std::uint32_t stackOf(std::string_view table, std::int64_t stack)
    {
        if (isBelow(stack, tables().stacks.size()))
            return static_cast<std::uint32_t>(stack);
        m_damage.badRow(table);
        return static_cast<std::uint32_t>(model::StackEnd::Unreadable);
    }

    std::optional<HeapKey> heapKey(std::string_view table, std::int64_t image, std::int64_t stack)
    {
        if (isBelow(image, tables().images.size()))
            return HeapKey{static_cast<std::uint32_t>(image), stackOf(table, stack)};
        m_damage.badRow(table);
        return std::nullopt;
    }

    void cpuRow(std::string_view table, std::size_t tick, const std::array<std::int64_t, 3> &group, std::int64_t stack,
        std::int64_t samples, const CpuRowHandler &handler);

    Database &m_database;
    Damage &m_damage;
    const LoadedSession &m_session;
};

Result<void> CostFetcher::heapTicks(TickRange ticks, const HeapRowHandler &handler)
{
    return scan(m_database, m_damage, "heap",
        "SELECT tick, image, stack, allocations, allocated_bytes, frees, freed_bytes, temporaries, temporary_bytes "
        "FROM heap"
            + tickRange(ticks, "tick, image, stack, period_bytes"),
        ticks.first - 1, [&](const Statement &row) {
            const auto tick = m_session.ticks.find(row.integer(0));
            if (!tick)
                return m_damage.badRow("heap");
            if (const auto key = heapKey("heap", row.integer(1), row.integer(2)))
                handler(*tick, *key,
                    {count(row, 3), count(row, 4), freed(row.integer(5)), freed(row.integer(6)), count(row, 7),
                        count(row, 8)});
        });
}

Result<void> CostFetcher::samplingTicks(TickRange ticks, const SamplingRowHandler &handler)
{
    if (m_session.format < 2)
        return {};
    return scan(m_database, m_damage, "heap_sampling",
        "SELECT tick, image, stack, samples, allocation_variance, allocated_variance, free_variance, freed_variance "
        "FROM heap_sampling"
            + tickRange(ticks, "tick, image, stack, period_bytes"),
        ticks.first - 1, [&](const Statement &row) {
            const auto tick = m_session.ticks.find(row.integer(0));
            if (!tick)
                return m_damage.badRow("heap_sampling");
            if (const auto key = heapKey("heap_sampling", row.integer(1), row.integer(2)))
                handler(*tick, *key,
                    {{count(row, 3), variance(row.real(4)), variance(row.real(5)), freedVariance(row.real(6)),
                        freedVariance(row.real(7)), 0}});
        });
}

void CostFetcher::cpuRow(std::string_view table, std::size_t tick, const std::array<std::int64_t, 3> &group,
    std::int64_t stack, std::int64_t samples, const CpuRowHandler &handler)
{
    const auto &[thread, image, periodNs] = group;
    CpuSums sums{samples, 0};
    if (!isBelow(thread, tables().threads.size()) || !isBelow(image, tables().images.size())
        || __builtin_mul_overflow(samples, std::max<std::int64_t>(periodNs, 0), &sums.timeNs))
        return m_damage.badRow(table);
    handler(tick, {static_cast<std::uint32_t>(thread), static_cast<std::uint32_t>(image), stackOf(table, stack)}, sums);
}

Result<void> CostFetcher::cpuTicks(TickRange ticks, const CpuRowHandler &handler)
{
    return scan(m_database, m_damage, "cpu",
        "SELECT tick, thread, image, period_ns, stack, samples FROM cpu"
            + tickRange(ticks, "tick, thread, image, stack, period_ns"),
        ticks.first - 1, [&](const Statement &row) {
            const auto tick = m_session.ticks.find(row.integer(0));
            if (!tick)
                return m_damage.badRow("cpu");
            cpuRow(
                "cpu", *tick, {row.integer(1), row.integer(2), row.integer(3)}, row.integer(4), count(row, 5), handler);
        });
}

constexpr std::string_view kPacked = "packed_cost";

Result<void> CostFetcher::heapPacked(PackedTable table, TickRange buckets, const HeapRowHandler &handler)
{
    return fetchPacked(m_database, m_damage, table, PackedKind::Heap, buckets, [&](const PackedRow &row) {
        const auto &n = row.numbers;
        if (const auto key = heapKey(kPacked, row.group[0], row.stack))
            handler(0, *key, {n[0], n[1], freed(n[2]), freed(n[3]), n[4], n[5]});
    });
}

Result<void> CostFetcher::samplingPacked(PackedTable table, TickRange buckets, const SamplingRowHandler &handler)
{
    return fetchPacked(m_database, m_damage, table, PackedKind::Sampling, buckets, [&](const PackedRow &row) {
        const auto &n = row.numbers;
        if (const auto key = heapKey(kPacked, row.group[0], row.stack))
            handler(0, *key, {{n[0], variance(n[1]), variance(n[2]), freedVariance(n[3]), freedVariance(n[4]), 0}});
    });
}

Result<void> CostFetcher::cpuPacked(PackedTable table, TickRange buckets, const CpuRowHandler &handler)
{
    return fetchPacked(m_database, m_damage, table, PackedKind::Cpu, buckets,
        [&](const PackedRow &row) { cpuRow(kPacked, 0, row.group, row.stack, row.numbers[0], handler); });
}

} // namespace

Result<void> fetchHeap(Database &database, Damage &damage, const LoadedSession &session, std::size_t first,
    std::size_t last, const HeapRowHandler &handler)
{
    CostFetcher fetcher(database, damage, session);
    return fetcher.cover(
        first, last, [&](TickRange range) { return fetcher.heapTicks(range, handler); },
        [&](TickRange range) { return fetcher.heapPacked(PackedTable::Cost, range, handler); });
}

Result<void> fetchSampling(Database &database, Damage &damage, const LoadedSession &session, std::size_t first,
    std::size_t last, const SamplingRowHandler &handler)
{
    CostFetcher fetcher(database, damage, session);
    return fetcher.cover(
        first, last, [&](TickRange range) { return fetcher.samplingTicks(range, handler); },
        [&](TickRange range) { return fetcher.samplingPacked(PackedTable::Cost, range, handler); });
}

Result<void> fetchCpu(Database &database, Damage &damage, const LoadedSession &session, std::size_t first,
    std::size_t last, const CpuRowHandler &handler)
{
    CostFetcher fetcher(database, damage, session);
    return fetcher.cover(
        first, last, [&](TickRange range) { return fetcher.cpuTicks(range, handler); },
        [&](TickRange range) { return fetcher.cpuPacked(PackedTable::Cost, range, handler); });
}

Result<void> heapUntil(Database &database, Damage &damage, LoadedSession &session, std::size_t end,
    decltype(LoadedSession::heap)::Shared &values)
{
    const auto fetch = [&](std::size_t first, std::size_t last, const auto &row) {
        return fetchHeap(database, damage, session, first, last,
            [&row](std::size_t, const HeapKey &key, const HeapSums &sums) { row(key, sums); });
    };
    const auto total = [&](std::int64_t id, const auto &row) {
        return CostFetcher(database, damage, session)
            .heapPacked(PackedTable::Total, {id, id},
                [&row](std::size_t, const HeapKey &key, const HeapSums &sums) { row(key, sums); });
    };
    return sumUntil(session, PackedKind::Heap, session.heap, end, fetch, total, values);
}

Result<void> samplingUntil(Database &database, Damage &damage, LoadedSession &session, std::size_t end,
    decltype(LoadedSession::heapSampling)::Shared &values)
{
    const auto fetch = [&](std::size_t first, std::size_t last, const auto &row) {
        return fetchSampling(database, damage, session, first, last,
            [&row](std::size_t, const HeapKey &key, const SamplingSums &sums) { row(key, sums); });
    };
    const auto total = [&](std::int64_t id, const auto &row) {
        return CostFetcher(database, damage, session)
            .samplingPacked(PackedTable::Total, {id, id},
                [&row](std::size_t, const HeapKey &key, const SamplingSums &sums) { row(key, sums); });
    };
    return sumUntil(session, PackedKind::Sampling, session.heapSampling, end, fetch, total, values);
}

Result<void> cpuUntil(Database &database, Damage &damage, LoadedSession &session, std::size_t end,
    decltype(LoadedSession::cpu)::Shared &values)
{
    const auto fetch = [&](std::size_t first, std::size_t last, const auto &row) {
        return fetchCpu(database, damage, session, first, last,
            [&row](std::size_t, const CpuKey &key, const CpuSums &sums) { row(key, sums); });
    };
    const auto total = [&](std::int64_t id, const auto &row) {
        return CostFetcher(database, damage, session)
            .cpuPacked(PackedTable::Total, {id, id},
                [&row](std::size_t, const CpuKey &key, const CpuSums &sums) { row(key, sums); });
    };
    return sumUntil(session, PackedKind::Cpu, session.cpu, end, fetch, total, values);
}

namespace {

Result<void> loadTotals(LoadContext &context, LoadedSession &session)
{
    for (const PackedKind kind : kPackedKinds) {
        std::vector<std::int64_t> &known = session.totals[static_cast<std::size_t>(kind)];
        const auto found
            = storedTotals(context.database, context.damage, kind, known.empty() ? std::int64_t{0} : known.back());
        if (!found)
            return found.error();
        known.insert(known.end(), found->begin(), found->end());
    }
    if (session.hasSampling)
        return {};
    return scan(context.database, context.damage, "heap_sampling",
        "SELECT tick FROM heap_sampling WHERE tick > ? ORDER BY tick LIMIT 1", -1,
        [&session](const Statement &) { session.hasSampling = true; });
}

} // namespace

Result<void> loadCosts(LoadContext &context, LoadedSession &session, std::size_t firstNewTick)
{
    if (hasLevels(session))
        return loadTotals(context, session);
    const std::size_t end = session.ticks.size();
    auto done = fetchHeap(context.database, context.damage, session, firstNewTick, end,
        [&session](std::size_t tick, const HeapKey &key, const HeapSums &sums) { session.heap.add(tick, key, sums); });
    if (done)
        done = fetchSampling(context.database, context.damage, session, firstNewTick, end,
            [&session](std::size_t tick, const HeapKey &key, const SamplingSums &sums) {
                session.heapSampling.add(tick, key, sums);
                session.hasSampling = true;
            });
    if (!done)
        return done;
    return fetchCpu(context.database, context.damage, session, firstNewTick, end,
        [&session](std::size_t tick, const CpuKey &key, const CpuSums &sums) {
            session.cpu.add(tick, key, sums);
            ThreadSamples &thread = session.threadSamples[key.thread];
            if (thread.ticks.empty() || thread.ticks.back() != tick) {
                thread.ticks.push_back(tick);
                thread.sums.emplace_back();
            }
            thread.sums.back().add(sums);
        });
}

} // namespace storage
