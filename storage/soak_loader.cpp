// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/soak_loader.h"

#include "model/analysis/stability_verdict.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

namespace storage {

namespace {

using model::Result;

constexpr std::int64_t kLongestNs = std::int64_t{1} << 60;
constexpr std::int64_t kMostSegments = 10'000;
constexpr std::size_t kMostRows = 1'000'000; ///< of each table

constexpr std::int64_t kFirstFormatWithTimes = 14;

bool isWithin(const Statement &row, int column, std::int64_t most)
{
    return row.integer(column) >= 0 && row.integer(column) <= most;
}

bool isShare(const Statement &row, int column)
{
    // Infinity is an ordinary interval of a test that saw little yet; SQLite stores it, and NaN as NULL.
    return !row.isNull(column) && !std::isnan(row.real(column));
}

bool isPlace(const Statement &row)
{
    return isWithin(row, 0, kMostSegments) && isWithin(row, 1, model::kSoakQuantityCount - 1);
}

Result<void> loadPlan(LoadContext &context, std::int64_t format, model::SoakRecord &soak)
{
    const std::string period = format < kFirstFormatWithTimes ? "0" : "period_ns";
    return scan(context.database, context.damage, "soak",
        "SELECT length_ns, most_growth, stop_early, checkpoint_ns, began_wall_ns, outcome, is_whole, reason, sentence, "
            + period + " FROM soak WHERE revision > ?",
        context.sinceRevision, [&](const Statement &row) {
            const double most = row.real(1);
            if (row.integer(0) < model::kSoakParts || row.integer(0) > kLongestNs || !(most > 0 && most < 1e6)
                || !isWithin(row, 2, 3) || !isWithin(row, 5, 5) || !isWithin(row, 9, row.integer(0) / 2))
                return context.damage.badRow("soak");
            soak.plan = {{row.integer(0)}, most, static_cast<model::StopEarly>(row.integer(2)),
                {std::clamp<std::int64_t>(row.integer(3), 1, kLongestNs)}, row.integer(4), {row.integer(9)}};
            soak.end.reset();
            if (row.integer(5) > 0)
                soak.end = {static_cast<model::SoakOutcome>(row.integer(5)), row.integer(6) != 0,
                    std::string(row.text(7)), std::string(row.text(8))};
        });
}

Result<void> loadLegs(LoadContext &context, std::int64_t format, model::SoakRecord &soak)
{
    const std::string bootTime = format < kFirstFormatWithTimes ? "0" : "began_boot_ns";
    return scan(context.database, context.damage, "soak_leg",
        "SELECT id, segment, began_wall_ns, pid, start_ticks, boot, file, " + bootTime
            + " FROM soak_leg WHERE revision > ? ORDER BY id",
        context.sinceRevision, [&](const Statement &row) {
            if (!isWithin(row, 0, kMostSegments) || !isWithin(row, 1, kMostSegments) || !isWithin(row, 3, INT32_MAX)
                || soak.legs.size() > kMostRows)
                return context.damage.badRow("soak_leg");
            soak.legs.push_back({static_cast<std::uint32_t>(row.integer(0)), static_cast<std::uint32_t>(row.integer(1)),
                row.integer(2), static_cast<std::int32_t>(row.integer(3)), row.integer(4), std::string(row.text(5)),
                std::string(row.text(6)), row.integer(7)});
        });
}

Result<void> loadLoads(LoadContext &context, model::SoakRecord &soak)
{
    return scan(context.database, context.damage, "soak_load",
        "SELECT id, command, starts, failures, trouble FROM soak_load WHERE revision > ? ORDER BY id",
        context.sinceRevision, [&](const Statement &row) {
            if (!isWithin(row, 0, kMostSegments))
                return context.damage.badRow("soak_load");
            soak.loads.push_back({static_cast<std::uint32_t>(row.integer(0)), std::string(row.text(1)),
                std::max<std::int64_t>(row.integer(2), 0), std::max<std::int64_t>(row.integer(3), 0),
                std::string(row.text(4))});
        });
}

Result<void> loadPoints(LoadContext &context, model::SoakRecord &soak)
{
    return scan(context.database, context.damage, "soak_point",
        "SELECT segment, quantity, part, value, stack_growth FROM soak_point WHERE revision > ?"
        " ORDER BY segment, part, quantity",
        context.sinceRevision, [&](const Statement &row) {
            if (!isPlace(row) || !isWithin(row, 2, kLongestNs) || !std::isfinite(row.real(3))
                || !std::isfinite(row.real(4)) || soak.points.size() > kMostRows)
                return context.damage.badRow("soak_point");
            soak.points.push_back({static_cast<std::uint32_t>(row.integer(0)),
                static_cast<model::SoakQuantity>(row.integer(1)), row.integer(2), row.real(3), row.real(4)});
        });
}

Result<void> loadExclusions(LoadContext &context, model::SoakRecord &soak)
{
    return scan(context.database, context.damage, "soak_exclusion",
        "SELECT segment, quantity, reason FROM soak_exclusion WHERE revision > ? ORDER BY segment, quantity",
        context.sinceRevision, [&](const Statement &row) {
            if (!isPlace(row) || soak.exclusions.size() > kMostRows)
                return context.damage.badRow("soak_exclusion");
            soak.exclusions.push_back({static_cast<std::uint32_t>(row.integer(0)),
                static_cast<model::SoakQuantity>(row.integer(1)), std::string(row.text(2))});
        });
}

Result<void> loadChecks(LoadContext &context, model::SoakRecord &soak)
{
    return scan(context.database, context.damage, "soak_check",
        "SELECT segment, quantity, part, state, growth, low, high, evidence, threshold FROM soak_check"
        " WHERE revision > ? ORDER BY segment, part, quantity",
        context.sinceRevision, [&](const Statement &row) {
            bool areShares = true;
            for (int column = 4; column < 9; ++column)
                areShares = areShares && isShare(row, column);
            if (!isPlace(row) || !isWithin(row, 2, kLongestNs)
                || !isWithin(row, 3, static_cast<std::int64_t>(model::StabilityState::AtTheLimit)) || !areShares
                || soak.checks.size() > kMostRows)
                return context.damage.badRow("soak_check");
            soak.checks.push_back(
                {static_cast<std::uint32_t>(row.integer(0)), static_cast<model::SoakQuantity>(row.integer(1)),
                    row.integer(2), static_cast<std::uint8_t>(row.integer(3)), row.real(4), row.real(5), row.real(6),
                    row.real(7), row.real(8)});
        });
}

} // namespace

Result<void> loadSoak(LoadContext &context, LoadedSession &session)
{
    model::SoakRecord fresh;
    if (auto done = loadPlan(context, session.format, fresh); !done)
        return done;
    if (auto done = loadLegs(context, session.format, fresh); !done)
        return done;
    for (const auto load : {loadLoads, loadPoints, loadExclusions, loadChecks})
        if (auto done = load(context, fresh); !done)
            return done;
    if (fresh.isEmpty())
        return {};
    model::SoakRecord all = session.soak ? *session.soak : model::SoakRecord{};
    if (fresh.plan)
        all.end.reset();
    all.merge(std::move(fresh));
    session.soak = std::make_shared<const model::SoakRecord>(std::move(all));
    return {};
}

} // namespace storage
