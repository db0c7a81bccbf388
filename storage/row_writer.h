// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/base/units.h"
#include "storage/database.h"

#include <initializer_list>
#include <utility>

namespace storage {

/// Runs statements until the first failure, which it keeps; later ones do nothing.
class RowWriter
{
public:
    template <typename... Values> void row(Statement &statement, const Values &...values)
    {
        if (m_done)
            m_done = statement.run(values...);
    }

    /// How it went since the last call.
    model::Result<void> take() { return std::exchange(m_done, {}); }

private:
    model::Result<void> m_done;
};

/// Prepares each statement of a list, in order; stops at the first that fails.
inline model::Result<void> prepareAll(
    Database &database, std::initializer_list<std::pair<Statement *, const char *>> statements)
{
    for (const auto &[statement, sql] : statements) {
        auto prepared = database.prepare(sql);
        if (!prepared)
            return prepared.error();
        *statement = std::move(*prepared);
    }
    return {};
}

/// The nanoseconds of a moment that may be absent.
inline std::optional<std::int64_t> nanoseconds(const std::optional<model::Timestamp> &when)
{
    return when ? std::optional(when->ns) : std::nullopt;
}

} // namespace storage
