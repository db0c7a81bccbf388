// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/session_info.h"
#include "storage/database.h"

namespace storage {

/// Stores `info`, all but the command's arguments, in the table `session`, replacing what was there. Call within a transaction.
model::Result<void> writeInfo(Database &database, const model::SessionInfo &info);

/// Stores the arguments of the command, replacing those that were there. Call within a transaction.
model::Result<void> writeArguments(Database &database, const std::vector<std::string> &command);

/// The key of StoredInfo::hasMeanRates.
inline constexpr std::string_view kBucketRatesKey = "bucket_rates";

/// The keys of SessionInfo::redaction, which only a redacted copy has.
inline constexpr std::string_view kRedactedKey = "redacted_texts";
inline constexpr std::string_view kRedactedKeepsKey = "redacted_keeps_functions";

/// Stores one value of the table `session` that is not part of SessionInfo.
model::Result<void> writeSessionValue(Database &database, std::string_view key, std::int64_t value);

/// What a session says about itself.
struct StoredInfo
{
    model::SessionInfo info;
    std::int64_t uuid = 0;     ///< drawn at random when the session was made: tells two sessions at one path apart
    std::int64_t revision = 0; ///< of the last transaction
    /// Rates in buckets are means over the bucket where a process came or went in it; older recorders stored medians over its ticks there.
    bool hasMeanRates = false;
};

/// Reads it back. Values that are out of range or missing become what SessionInfo starts with.
model::Result<StoredInfo> readInfo(Database &database);

} // namespace storage
