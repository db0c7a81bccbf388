// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/area_loader.h"

#include "storage/schema.h"

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

/// The area in columns 1 to 3 (image, kind, name), numbered when it is seen first; empty if there can be no such.
std::optional<std::uint32_t> areaOf(LoadedSession &session, const Statement &row)
{
    const bool isValid = isBelow(row.integer(1), session.tables->images.size())
        && row.integer(2) <= static_cast<std::int64_t>(model::AreaKind::Pool) && row.integer(2) >= 0
        && isBelow(row.integer(3), session.tables->strings.size());
    if (!isValid)
        return std::nullopt;
    const AreaKey key{static_cast<std::uint32_t>(row.integer(1)), static_cast<model::AreaKind>(row.integer(2)),
        static_cast<std::uint32_t>(row.integer(3))};
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

Result<void> loadAreaTicks(LoadContext &context, LoadedSession &session, std::int64_t after)
{
    return scan(context.database, context.damage, "area_tick",
        "SELECT tick, image, kind, name, live_bytes, most_live_bytes FROM area_tick WHERE tick > ? AND tick < "
            + std::to_string(kTicksPerLevel) + " ORDER BY tick, image, kind, name",
        after, [&](const Statement &row) {
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

Result<void> loadMemoryParts(LoadContext &context, LoadedSession &session, std::int64_t after)
{
    return scan(context.database, context.damage, "memory_part",
        "SELECT tick, process, heap_bytes, mapping_bytes, stack_bytes, file_bytes, shared_bytes, tracer_bytes,"
        " unknown_bytes, is_measured FROM memory_part WHERE tick > ? AND tick < "
            + std::to_string(kTicksPerLevel) + " ORDER BY tick, process",
        after, [&](const Statement &row) {
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

Result<void> fetchAreas(Database &database, Damage &damage, LoadedSession &session, std::size_t first, std::size_t last,
    const AreaRowHandler &handler)
{
    if (first >= last)
        return {};
    return scan(database, damage, "area",
        "SELECT tick, image, kind, name, stack, allocations, allocated_bytes, frees, freed_bytes FROM area"
        " WHERE tick > ? AND tick <= "
            + std::to_string(session.ticks.at(last - 1).id) + " ORDER BY tick, image, kind, name, stack",
        session.ticks.at(first).id - 1, [&](const Statement &row) {
            const auto tick = session.ticks.find(row.integer(0));
            const auto area = areaOf(session, row);
            if (!tick || !area || !isBelow(row.integer(4), session.tables->stacks.size()))
                return damage.badRow("area");
            handler(*tick, {*area, static_cast<std::uint32_t>(row.integer(4))},
                {count(row, 5), count(row, 6), count(row, 7), count(row, 8), 0, 0});
        });
}

Result<void> loadAreas(LoadContext &context, LoadedSession &session, std::size_t firstNewTick)
{
    const std::int64_t after
        = firstNewTick < session.ticks.size() ? session.ticks.at(firstNewTick).id - 1 : session.ticks.lastId();
    if (auto done = loadAreaTicks(context, session, after); !done)
        return done;
    if (auto done = loadPhases(context, session); !done)
        return done;
    if (auto done = loadMemoryParts(context, session, after); !done)
        return done;
    if (auto done = loadHeapModes(context, session); !done)
        return done;
    return fetchAreas(context.database, context.damage, session, firstNewTick, session.ticks.size(),
        [&session](
            std::size_t tick, const HeapKey &key, const HeapSums &sums) { session.areaCosts.add(tick, key, sums); });
}

} // namespace storage
