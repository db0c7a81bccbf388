// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/follow/follow_plan.h"

#include "storage/schema.h"

#include <algorithm>
#include <string_view>

namespace storage {

namespace {

using model::Result;

constexpr std::string_view kOfStacks = "_stack";

/// What the columns of a table say.
struct Columns
{
    std::optional<int> id, scan, revision, tick;
    std::string beforeTick;
    int count = 0;
};

Result<Columns> columnsOf(Database &format, const std::string &table)
{
    auto rows = format.prepare("SELECT name, pk, type FROM pragma_table_info(?) ORDER BY cid");
    if (!rows)
        return rows.error();
    rows->bindAll(std::string_view(table));
    Columns columns;
    std::string first;
    for (;; ++columns.count) {
        const auto row = rows->step();
        if (!row)
            return row.error();
        if (!*row)
            break;
        const std::string_view name = rows->text(0);
        const std::int64_t keyPosition = rows->integer(1);
        if (keyPosition == 1)
            first = name;
        if (name == "revision")
            columns.revision = columns.count;
        if (name == "id" && keyPosition == 1 && rows->text(2) == "INTEGER")
            columns.id = columns.count;
        if (name == "scan" && keyPosition == 1)
            columns.scan = columns.count;
        if (name == "tick" && keyPosition >= 1)
            columns.tick = columns.count;
    }
    if (columns.tick && first != "tick")
        columns.beforeTick = first;
    return columns;
}

Result<FollowPlan> planOf(Database &format, const std::string &table)
{
    const auto columns = columnsOf(format, table);
    if (!columns)
        return columns.error();
    FollowPlan plan{.name = table, .columns = columns->count};
    const auto grows = [&plan](FollowGrowth growth, const char *key, std::optional<int> column) {
        plan.growth = growth;
        plan.keyName = key;
        plan.keyColumn = column.value_or(0);
    };
    // Ids of ticks count within a level.
    if (table == "tick")
        grows(FollowGrowth::ByTick, "id", columns->id);
    else if (columns->tick)
        grows(FollowGrowth::ByTick, "tick", columns->tick);
    else if (columns->revision)
        grows(FollowGrowth::ByRevision, "revision", columns->revision);
    else if (columns->id)
        grows(FollowGrowth::ById, "id", columns->id);
    else if (columns->scan)
        grows(FollowGrowth::ByScan, "scan", columns->scan);
    plan.kindName = columns->beforeTick;
    plan.isMoved = table == "loss" || table == "packed_total";
    return plan;
}

} // namespace

Result<std::vector<FollowPlan>> followPlans(int version)
{
    const auto tables = tableDeclarations(version);
    if (!tables)
        return tables.error();
    // The format's own tables, which those of the file were found to equal.
    auto format = Database::open({}, OpenMode::Memory);
    if (!format)
        return format.error();
    if (auto done = createSchema(*format, version); !done)
        return done.error();
    std::vector<FollowPlan> plans;
    for (const auto &[name, sql] : *tables) {
        auto plan = planOf(*format, name);
        if (!plan)
            return plan.error();
        plans.push_back(std::move(*plan));
    }
    for (FollowPlan &plan : plans) {
        if (plan.growth != FollowGrowth::Whole || !plan.name.ends_with(kOfStacks))
            continue;
        const std::string owner = plan.name.substr(0, plan.name.size() - kOfStacks.size());
        if (std::any_of(plans.begin(), plans.end(), [&](const FollowPlan &other) {
                return other.name == owner && other.growth == FollowGrowth::ByRevision;
            }))
            plan.ownerName = owner;
    }
    std::stable_sort(
        plans.begin(), plans.end(), [](const FollowPlan &a, const FollowPlan &b) { return a.growth < b.growth; });
    return plans;
}

} // namespace storage
