// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/alert_loader.h"

#include <algorithm>
#include <cmath>
#include <string>

namespace storage {

namespace {

constexpr std::int64_t kLongestNs = std::int64_t{1} << 60;
constexpr std::size_t kMostAlerts = 100'000;

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

} // namespace storage
