// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/cost_loader.h"

#include <algorithm>
#include <cmath>
#include <string>

namespace storage {

namespace {

using model::Result;

/// The rows of ticks in (after, last]: the bound below is the scan's parameter.
std::string tickRange(const TickIndex &ticks, std::size_t last, const std::string &order)
{
    return " WHERE tick > ? AND tick <= " + std::to_string(ticks.at(last - 1).id) + " ORDER BY " + order;
}

std::int64_t count(const Statement &row, int column) { return std::max<std::int64_t>(row.integer(column), 0); }

/// A variance; a number that can be none reads as 0.
double variance(const Statement &row, int column)
{
    constexpr double kMost = 1e60; // sums of them stay finite
    const double value = row.real(column);
    return value >= 0 && value < kMost ? value : 0;
}

/// What was freed and its variance may be less than nothing: where sampling began, live became an estimate.
std::int64_t freedCount(const Statement &row, int column)
{
    return std::max<std::int64_t>(row.integer(column), -(std::int64_t{1} << 62));
}

double freedVariance(const Statement &row, int column)
{
    const double value = row.real(column);
    return std::abs(value) < 1e60 ? value : 0;
}

bool isBelow(std::int64_t value, std::size_t end) { return value >= 0 && static_cast<std::uint64_t>(value) < end; }

/// The stack in a column; one that does not exist reads as a stack that could not be read.
std::uint32_t stackOf(
    Damage &damage, std::string_view table, const Statement &row, int column, const model::ProgramTables &tables)
{
    if (isBelow(row.integer(column), tables.stacks.size()))
        return static_cast<std::uint32_t>(row.integer(column));
    damage.badRow(table);
    return static_cast<std::uint32_t>(model::StackEnd::Unreadable);
}

} // namespace

Result<void> fetchHeap(Database &database, Damage &damage, const LoadedSession &session, std::size_t first,
    std::size_t last, const HeapRowHandler &handler)
{
    if (first >= last)
        return {};
    const model::ProgramTables &tables = *session.tables;
    return scan(database, damage, "heap",
        "SELECT tick, image, stack, allocations, allocated_bytes, frees, freed_bytes, temporaries, temporary_bytes "
        "FROM heap"
            + tickRange(session.ticks, last, "tick, image, stack, period_bytes"),
        session.ticks.at(first).id - 1, [&](const Statement &row) {
            const auto tick = session.ticks.find(row.integer(0));
            if (!tick || !isBelow(row.integer(1), tables.images.size()))
                return damage.badRow("heap");
            const HeapKey key{static_cast<std::uint32_t>(row.integer(1)), stackOf(damage, "heap", row, 2, tables)};
            handler(*tick, key,
                {count(row, 3), count(row, 4), freedCount(row, 5), freedCount(row, 6), count(row, 7), count(row, 8)});
        });
}

Result<void> fetchSampling(Database &database, Damage &damage, const LoadedSession &session, std::size_t first,
    std::size_t last, const SamplingRowHandler &handler)
{
    const auto version = database.integer("PRAGMA user_version");
    if (!version)
        return version.error();
    if (first >= last || *version < 2)
        return {};
    return scan(database, damage, "heap_sampling",
        "SELECT tick, image, stack, samples, allocation_variance, allocated_variance, free_variance, freed_variance "
        "FROM heap_sampling"
            + tickRange(session.ticks, last, "tick, image, stack, period_bytes"),
        session.ticks.at(first).id - 1, [&](const Statement &row) {
            const auto tick = session.ticks.find(row.integer(0));
            if (!tick || !isBelow(row.integer(1), session.tables->images.size()))
                return damage.badRow("heap_sampling");
            const HeapKey key{
                static_cast<std::uint32_t>(row.integer(1)), stackOf(damage, "heap_sampling", row, 2, *session.tables)};
            handler(*tick, key,
                {{count(row, 3), variance(row, 4), variance(row, 5), freedVariance(row, 6), freedVariance(row, 7), 0}});
        });
}

Result<void> fetchCpu(Database &database, Damage &damage, const LoadedSession &session, std::size_t first,
    std::size_t last, const CpuRowHandler &handler)
{
    if (first >= last)
        return {};
    const model::ProgramTables &tables = *session.tables;
    return scan(database, damage, "cpu",
        "SELECT tick, thread, image, stack, period_ns, samples FROM cpu"
            + tickRange(session.ticks, last, "tick, thread, image, stack, period_ns"),
        session.ticks.at(first).id - 1, [&](const Statement &row) {
            const auto tick = session.ticks.find(row.integer(0));
            if (!tick || !isBelow(row.integer(1), tables.threads.size())
                || !isBelow(row.integer(2), tables.images.size()))
                return damage.badRow("cpu");
            const CpuKey key{static_cast<std::uint32_t>(row.integer(1)), static_cast<std::uint32_t>(row.integer(2)),
                stackOf(damage, "cpu", row, 3, tables)};
            CpuSums sums{count(row, 5), 0};
            if (__builtin_mul_overflow(sums.samples, count(row, 4), &sums.timeNs))
                return damage.badRow("cpu");
            handler(*tick, key, sums);
        });
}

Result<void> loadCosts(LoadContext &context, LoadedSession &session, std::size_t firstNewTick)
{
    const std::size_t end = session.ticks.size();
    auto done = fetchHeap(context.database, context.damage, session, firstNewTick, end,
        [&session](std::size_t tick, const HeapKey &key, const HeapSums &sums) { session.heap.add(tick, key, sums); });
    if (done)
        done = fetchSampling(context.database, context.damage, session, firstNewTick, end,
            [&session](std::size_t tick, const HeapKey &key, const SamplingSums &sums) {
                session.heapSampling.add(tick, key, sums);
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
