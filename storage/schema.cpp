// SPDX-License-Identifier: GPL-3.0-or-later
#include "storage/schema.h"

#include <fmt/format.h>

namespace storage {

namespace {

model::Result<void> applyMigrations(Database &database, std::int64_t from, std::int64_t to)
{
    for (std::int64_t version = from; version < to; ++version) {
        const std::string sql(migrations()[static_cast<std::size_t>(version)]);
        if (auto done = database.execute(sql.c_str()); !done)
            return done.error().within(fmt::format("Migration to version {}", version + 1));
    }
    return database.execute(fmt::format("PRAGMA user_version={}", to).c_str());
}

/// Names and declarations that `query` finds in an empty session of this version.
model::Result<std::map<std::string, std::string>> declarations(int version, std::string_view query)
{
    auto database = Database::open({}, OpenMode::Memory);
    if (!database)
        return database.error();
    if (auto done = applyMigrations(*database, 0, version); !done)
        return done.error();
    auto rows = database->prepare(query);
    if (!rows)
        return rows.error();
    std::map<std::string, std::string> found;
    for (;;) {
        const auto row = rows->step();
        if (!row)
            return row.error();
        if (!*row)
            return found;
        found.emplace(rows->text(0), rows->text(1));
    }
}

} // namespace

int schemaVersion() { return static_cast<int>(migrations().size()); }

model::Result<void> migrate(Database &database)
{
    const auto version = database.integer("PRAGMA user_version");
    if (!version)
        return version.error();
    if (*version < 0 || *version > schemaVersion())
        return model::Error(fmt::format(
            "Cannot migrate from format {}: this program knows formats up to {}", *version, schemaVersion()));
    auto transaction = Transaction::begin(database, Transaction::Kind::Write);
    if (!transaction)
        return transaction.error();
    if (auto done = applyMigrations(database, *version, schemaVersion()); !done)
        return done;
    return transaction->commit();
}

model::Result<void> createSchema(Database &database, int version)
{
    if (auto done = database.execute(fmt::format("PRAGMA application_id={}", kApplicationId).c_str()); !done)
        return done;
    auto transaction = Transaction::begin(database, Transaction::Kind::Write);
    if (!transaction)
        return transaction.error();
    if (auto done = applyMigrations(database, 0, version); !done)
        return done;
    return transaction->commit();
}

model::Result<std::map<std::string, std::string>> tableDeclarations(int version)
{
    return declarations(version, "SELECT name, sql FROM sqlite_schema WHERE type = 'table'");
}

model::Result<std::map<std::string, std::string>> viewDeclarations()
{
    return declarations(schemaVersion(), "SELECT name, sql FROM sqlite_schema WHERE type = 'view'");
}

} // namespace storage
