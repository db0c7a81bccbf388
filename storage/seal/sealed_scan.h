// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "storage/seal/seal_key.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace storage {

/// The first `count` bytes of a sealed main file as SQLite sees them; none where its first page is not whole and a log is there, which may hold
/// it. Fails with "wrong passphrase" or "damaged".
model::Result<std::vector<char>> readSealedStart(const std::string &path, const SealKey &key, std::size_t count);

/// How many units of a sealed main file that nobody writes are not what was sealed, those included that are missing at its end. Files
/// above 64 MiB are not looked through (what is read of them is checked all the same): nothing then.
std::optional<std::int64_t> brokenUnits(const std::string &path, const SealKey &key);

} // namespace storage
