// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/area_loader.h"

#include "storage/cost_sums.h"
#include "storage/series_loader.h"

#include <algorithm>
#include <string>

namespace storage {

namespace {

using model::Result;

constexpr std::int64_t kLongestNs = std::int64_t{1} << 60;
constexpr std::size_t kMostAreas = 65'536;
constexpr std::size_t kMostPhases = 1'000'000;
constexpr std::size_t kMostHeapModes = 1'000'000;

bool isBelow(std::int64_t value, std::size_t end) { return value >= 0 && static_cast<std::uint64_t>(value) < end; }

std::int64_t count(const Statement &row, int column) { return std::max<std::int64_t>(row.integer(column), 0); }

model::Timestamp time(const Statement &row, int column)
{
    return {std::clamp<std::int64_t>(row.integer(column), 0, kLongestNs)};
}

/// The number of an area, drawn when it is seen first; empty if there can be no such.
std::optional<std::uint32_t> areaOf(LoadedSession &session, std::int64_t image, std::int64_t kind, std::int64_t name)
{
    const bool isValid = isBelow(image, session.tables->images.size())
        && kind <= static_cast<std::int64_t>(model::AreaKind::Pool) && kind >= 0
        && isBelow(name, session.tables->strings.size());
    if (!isValid)
        return std::nullopt;
    const AreaKey key{
        static_cast<std::uint32_t>(image), static_cast<model::AreaKind>(kind), static_cast<std::uint32_t>(name)};
    const auto known = session.areaNumbers.find(key);
    if (known != session.areaNumbers.end())
        return known->second;
    if (session.areas.size() >= kMostAreas)
        return std::nullopt;
    const auto number = static_cast<std::uint32_t>(session.areas.size());
    session.areaNumbers.emplace(key, number);
    session.areas.push_back({key, {}});
    return number;
}

/// The area in columns 1 to 3: image, kind, name.
std::optional<std::uint32_t> areaOf(LoadedSession &session, const Statement &row)
{
    return areaOf(session, row.integer(1), row.integer(2), row.integer(3));
}

Result<void> loadAreaTicks(LoadContext &context, LoadedSession &session)
{
    return scanByTick(context, "area_tick",
        "SELECT tick, image, kind, name, live_bytes, most_live_bytes FROM area_tick", "image, kind, name",
        [&](const Statement &row) {
            const auto tick = session.ticks.find(row.integer(0));
            const auto area = areaOf(session, row);
            if (!tick || !area)
                return context.damage.badRow("area_tick");
            session.areas[*area].ticks.push_back({*tick, count(row, 4), count(row, 5)});
        });
}

Result<void> loadPhases(LoadContext &context, LoadedSession &session)
{
    return scan(context.database, context.damage, "phase",
        "SELECT revision, id, thread, depth, name, begin_ns, end_ns FROM phase WHERE revision > ? ORDER BY revision, "
        "id",
        context.sinceRevision, [&](const Statement &row) {
            const bool isNew = !session.phases.contains(row.integer(1));
            if (!isBelow(row.integer(2), session.tables->threads.size()) || !isBelow(row.integer(1), UINT32_MAX)
                || (isNew && session.phases.size() >= kMostPhases))
                return context.damage.badRow("phase");
            model::Phase &phase = session.phases[row.integer(1)];
            phase = {static_cast<std::uint32_t>(row.integer(1)),
                model::ThreadId(static_cast<std::uint32_t>(row.integer(2))),
                static_cast<std::uint32_t>(std::clamp<std::int64_t>(row.integer(3), 0, 1000)), std::string(row.text(4)),
                time(row, 5), {}};
            if (!row.isNull(6))
                phase.end = std::max(time(row, 6), phase.begin);
        });
}

Result<void> loadMemoryParts(LoadContext &context, LoadedSession &session)
{
    return scanByTick(context, "memory_part",
        "SELECT tick, process, heap_bytes, mapping_bytes, stack_bytes, file_bytes, shared_bytes, tracer_bytes,"
        " unknown_bytes, is_measured FROM memory_part",
        "process", [&](const Statement &row) {
            const auto tick = session.ticks.find(row.integer(0));
            if (!tick || !isBelow(row.integer(1), session.tables->processes.size()))
                return context.damage.badRow("memory_part");
            const model::ProcessId process(static_cast<std::uint32_t>(row.integer(1)));
            model::MemoryPartsSeries &series = session.memoryParts[process.value];
            series.process = process;
            series.times.push_back(session.ticks.at(*tick).span.end);
            series.values.push_back({process, count(row, 2), count(row, 3), count(row, 4), count(row, 5), count(row, 6),
                count(row, 7), count(row, 8), row.integer(9) != 0});
        });
}

Result<void> loadHeapModes(LoadContext &context, LoadedSession &session)
{
    return scan(context.database, context.damage, "heap_mode",
        "SELECT id, image, when_ns, period_bytes, cause, live_bytes_before, live_blocks_before, live_bytes_after,"
        " live_blocks_after, live_variance FROM heap_mode WHERE id > ? ORDER BY id",
        session.lastHeapMode, [&](const Statement &row) {
            session.lastHeapMode = std::max(session.lastHeapMode, row.integer(0));
            const bool isValid = isBelow(row.integer(1), session.tables->images.size()) && row.integer(3) >= 1
                && isBelow(row.integer(4), static_cast<std::size_t>(model::HeapModeCause::Waits) + 1)
                && session.heapModes.size() < kMostHeapModes;
            if (!isValid)
                return context.damage.badRow("heap_mode");
            const double variance = row.real(9);
            session.heapModes.push_back({model::ImageId(static_cast<std::uint32_t>(row.integer(1))), time(row, 2),
                row.integer(3), static_cast<model::HeapModeCause>(row.integer(4)), count(row, 5), count(row, 6),
                count(row, 7), count(row, 8), variance >= 0 && variance < 1e60 ? variance : 0});
        });
}

} // namespace

namespace {

Result<void> fetchTicks(
    Database &database, Damage &damage, LoadedSession &session, TickRange ticks, const AreaRowHandler &handler)
{
    return scan(database, damage, "area",
        "SELECT tick, image, kind, name, stack, allocations, allocated_bytes, frees, freed_bytes FROM area"
        " WHERE tick > ? AND tick <= "
            + std::to_string(ticks.last) + " ORDER BY tick, image, kind, name, stack",
        ticks.first - 1, [&](const Statement &row) {
            const auto tick = session.ticks.find(row.integer(0));
            const auto area = areaOf(session, row);
            if (!tick || !area || !isBelow(row.integer(4), session.tables->stacks.size()))
                return damage.badRow("area");
            handler(*tick, {*area, static_cast<std::uint32_t>(row.integer(4))},
                {count(row, 5), count(row, 6), count(row, 7), count(row, 8), 0, 0});
        });
}

Result<void> fetchBuckets(Database &database, Damage &damage, LoadedSession &session, PackedTable table,
    TickRange buckets, const AreaRowHandler &handler)
{
    return fetchPacked(database, damage, table, PackedKind::Area, buckets, [&](const PackedRow &row) {
        const auto area = areaOf(session, row.group[0], row.group[1], row.group[2]);
        if (!area || !isBelow(row.stack, session.tables->stacks.size()))
            return damage.badRow("packed_cost");
        const auto &n = row.numbers;
        handler(0, {*area, row.stack}, {n[0], n[1], n[2], n[3], 0, 0});
    });
}

} // namespace

Result<void> fetchAreas(Database &database, Damage &damage, LoadedSession &session, std::size_t first, std::size_t last,
    const AreaRowHandler &handler)
{
    for (const TickRange &range : session.ticks.cover(first, last)) {
        const auto done = levelOf(range.first) == 0
            ? fetchTicks(database, damage, session, range, handler)
            : fetchBuckets(database, damage, session, PackedTable::Cost, range, handler);
        if (!done)
            return done;
    }
    return {};
}

Result<void> areasUntil(Database &database, Damage &damage, LoadedSession &session, std::size_t end,
    decltype(LoadedSession::areaCosts)::Shared &values)
{
    const auto fetch = [&](std::size_t first, std::size_t last, const auto &row) {
        return fetchAreas(database, damage, session, first, last,
            [&row](std::size_t, const HeapKey &key, const HeapSums &sums) { row(key, sums); });
    };
    const auto total = [&](std::int64_t id, const auto &row) {
        return fetchBuckets(database, damage, session, PackedTable::Total, {id, id},
            [&row](std::size_t, const HeapKey &key, const HeapSums &sums) { row(key, sums); });
    };
    return sumUntil(session, PackedKind::Area, session.areaCosts, end, fetch, total, values);
}

Result<void> loadAreas(LoadContext &context, LoadedSession &session, std::size_t firstNewTick)
{
    if (auto done = loadAreaTicks(context, session); !done)
        return done;
    if (auto done = loadPhases(context, session); !done)
        return done;
    if (auto done = loadMemoryParts(context, session); !done)
        return done;
    if (auto done = loadHeapModes(context, session); !done)
        return done;
    if (hasLevels(session))
        return {};
    return fetchAreas(context.database, context.damage, session, firstNewTick, session.ticks.size(),
        [&session](
            std::size_t tick, const HeapKey &key, const HeapSums &sums) { session.areaCosts.add(tick, key, sums); });
}

} // namespace storage
