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

model::Result<std::map<std::string, std::string>> tableDeclarations(int version)
{
    auto database = Database::open({}, OpenMode::Memory);
    if (!database)
        return database.error();
    if (auto done = applyMigrations(*database, 0, version); !done)
        return done.error();
    auto tables = database->prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'table'");
    if (!tables)
        return tables.error();
    std::map<std::string, std::string> declarations;
    for (;;) {
        const auto row = tables->step();
        if (!row)
            return row.error();
        if (!*row)
            return declarations;
        declarations.emplace(tables->text(0), tables->text(1));
    }
}

} // namespace storage
