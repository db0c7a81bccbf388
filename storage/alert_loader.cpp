// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/alert_loader.h"

#include <algorithm>
#include <cmath>
#include <string>

namespace storage {

namespace {

constexpr std::int64_t kLongestNs = std::int64_t{1} << 60;
constexpr std::size_t kMostAlerts = 100'000;
constexpr std::size_t kMostClaims = 1'000'000;

model::Timestamp time(const Statement &row, int column)
{
    return {std::clamp<std::int64_t>(row.integer(column), 0, kLongestNs)};
}

} // namespace

model::Result<void> loadAlerts(LoadContext &context, LoadedSession &session)
{
    return scan(context.database, context.damage, "alert",
        "SELECT revision, id, rule, source, condition, began_ns, fired_ns, ended_ns, value, worst, threshold, unit"
        " FROM alert WHERE revision > ? ORDER BY revision, id",
        context.sinceRevision, [&](const Statement &row) {
            const std::int64_t id = row.integer(1), unit = row.integer(11);
            const bool isNumber
                = std::isfinite(row.real(8)) && std::isfinite(row.real(9)) && std::isfinite(row.real(10));
            const bool isNew = !session.alerts.contains(id);
            if (id < 0 || id > UINT32_MAX || unit < 0 || unit > static_cast<std::int64_t>(model::Unit::Nanoseconds)
                || !isNumber || (isNew && session.alerts.size() >= kMostAlerts))
                return context.damage.badRow("alert");
            model::AlertEvent &alert = session.alerts[id];
            alert = {static_cast<std::uint32_t>(id), std::string(row.text(2)), std::string(row.text(3)),
                std::string(row.text(4)), time(row, 5), time(row, 6), {}, row.real(8), row.real(9), row.real(10),
                static_cast<model::Unit>(unit)};
            if (!row.isNull(7))
                alert.ended = time(row, 7);
        });
}

model::Result<void> loadLeakClaims(LoadContext &context, LoadedSession &session)
{
    return scan(context.database, context.damage, "leak_claim",
        "SELECT revision, image, stack, part, accused_ns, accused_of, alive, withdrawn_ns FROM leak_claim"
        " WHERE revision > ? ORDER BY revision, image, stack, part",
        context.sinceRevision, [&](const Statement &row) {
            const auto isOf = [&row](int column, std::size_t count) {
                return row.integer(column) >= 0 && static_cast<std::uint64_t>(row.integer(column)) < count;
            };
            const model::ProgramTables &tables = *session.tables;
            if (!isOf(1, tables.images.size()) || !isOf(2, tables.stacks.size()) || !isOf(3, UINT32_MAX)
                || session.leakClaims.size() >= kMostClaims)
                return context.damage.badRow("leak_claim");
            const auto number = [&row](int column) { return static_cast<std::uint32_t>(row.integer(column)); };
            model::LeakClaim &claim = session.leakClaims[{number(1), number(2), number(3)}];
            claim = {model::ImageId(number(1)), model::StackId(number(2)), number(3), time(row, 4),
                std::clamp<std::int64_t>(row.integer(5), 0, model::kMostBlocksOfBucket),
                std::clamp<std::int64_t>(row.integer(6), 0, model::kMostBlocksOfBucket), {}};
            if (!row.isNull(7))
                claim.withdrawn = time(row, 7);
        });
}

} // namespace storage
