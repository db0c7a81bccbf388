// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/cost_loader.h"
#include "storage/cost_sums.h"
#include "storage/packed_loader.h"

#include <algorithm>
#include <array>
#include <string>

namespace storage {

namespace {

using model::Result;

constexpr std::int64_t kFirstFormat = 13;

bool isBelow(std::int64_t value, std::size_t end) { return value >= 0 && static_cast<std::uint64_t>(value) < end; }

/// Checks a row, and calls `handler`; numbers are those of the table `activity`, in its order.
void handle(Damage &damage, const LoadedSession &session, std::string_view table, std::size_t tick,
    const std::array<std::int64_t, 3> &group, std::int64_t stack, const std::array<std::int64_t, 6> &numbers,
    const ActivityRowHandler &handler)
{
    const auto &[thread, image, activity] = group;
    const model::ProgramTables &tables = *session.tables;
    if (!isBelow(thread, tables.threads.size()) || !isBelow(image, tables.images.size())
        || !model::Activity::isValid(activity) || !isBelow(stack, tables.stacks.size()))
        return damage.badRow(table);
    const auto number = [&numbers](std::size_t i) { return std::max<std::int64_t>(numbers[i], 0); };
    handler(tick,
        {static_cast<std::uint32_t>(thread), static_cast<std::uint32_t>(image), static_cast<std::uint32_t>(activity),
            static_cast<std::uint32_t>(stack)},
        {number(0), number(1), number(2), number(3), number(4), number(5)});
}

Result<void> fetchTicks(Database &database, Damage &damage, const LoadedSession &session, TickRange ticks,
    const ActivityRowHandler &handler)
{
    return scan(database, damage, "activity",
        "SELECT tick, thread, image, activity, stack, count, time_ns, errors, bytes, own_stacks, estimated FROM "
        "activity"
        " WHERE tick > ? AND tick <= "
            + std::to_string(ticks.last) + " ORDER BY tick, thread, image, activity, stack",
        ticks.first - 1, [&](const Statement &row) {
            const auto tick = session.ticks.find(row.integer(0));
            if (!tick)
                return damage.badRow("activity");
            handle(damage, session, "activity", *tick, {row.integer(1), row.integer(2), row.integer(3)}, row.integer(4),
                {row.integer(5), row.integer(6), row.integer(7), row.integer(8), row.integer(9), row.integer(10)},
                handler);
        });
}

Result<void> fetchBuckets(Database &database, Damage &damage, const LoadedSession &session, PackedTable table,
    TickRange buckets, const ActivityRowHandler &handler)
{
    return fetchPacked(database, damage, table, PackedKind::Activity, buckets, [&](const PackedRow &row) {
        handle(damage, session, "packed_cost", 0, row.group, row.stack, row.numbers, handler);
    });
}

} // namespace

Result<void> fetchActivity(Database &database, Damage &damage, const LoadedSession &session, std::size_t first,
    std::size_t last, const ActivityRowHandler &handler)
{
    if (session.format < kFirstFormat)
        return {};
    for (const TickRange &range : session.ticks.cover(first, last)) {
        const auto done = levelOf(range.first) == 0
            ? fetchTicks(database, damage, session, range, handler)
            : fetchBuckets(database, damage, session, PackedTable::Cost, range, handler);
        if (!done)
            return done;
    }
    return {};
}

Result<void> activityUntil(Database &database, Damage &damage, LoadedSession &session, std::size_t end,
    decltype(LoadedSession::activity)::Shared &values)
{
    const auto fetch = [&](std::size_t first, std::size_t last, const auto &row) {
        return fetchActivity(database, damage, session, first, last,
            [&row](std::size_t, const ActivityKey &key, const ActivitySums &sums) { row(key, sums); });
    };
    const auto total = [&](std::int64_t id, const auto &row) {
        return fetchBuckets(database, damage, session, PackedTable::Total, {id, id},
            [&row](std::size_t, const ActivityKey &key, const ActivitySums &sums) { row(key, sums); });
    };
    return sumUntil(session, PackedKind::Activity, session.activity, end, fetch, total, values);
}

} // namespace storage
