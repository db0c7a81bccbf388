// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "storage/database.h"

#include <map>
#include <span>
#include <string>
#include <string_view>

namespace storage {

/// Marks a SQLite file as a session ("GPRF"), so that `file` and the reader can tell.
inline constexpr std::int64_t kApplicationId = 0x47505246;

/// Ids of ticks of level n begin above n × this; see schema/0001_initial.sql.
inline constexpr std::int64_t kTicksPerLevel = std::int64_t{1} << 40;

/// The SQL of all migrations: migrations()[n] leads from version n to n + 1.
std::span<const std::string_view> migrations();

/// The version that this program writes, and the newest it reads.
int schemaVersion();

/// Brings `database` from the version it has to schemaVersion(), in one transaction. Not for files that are being viewed: migrate a copy.
model::Result<void> migrate(Database &database);

/// Makes the tables and views of an older version, or of this one, in an empty database, and marks it as a session.
model::Result<void> createSchema(Database &database, int version);

/// How each table of version `version` was declared, by name: what a file of that version must say, to the letter.
model::Result<std::map<std::string, std::string>> tableDeclarations(int version);

/// The declaration of each documented view of the newest version, by name.
model::Result<std::map<std::string, std::string>> viewDeclarations();

} // namespace storage
