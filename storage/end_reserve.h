// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/base/result.h"

#include <cstdint>
#include <string>

namespace storage {

/// Keeps `bytes` of the disk behind what the log of the session at `path` holds, without making it longer: where the disk gets full, the recorder
/// can still say so in the file, and what is missing. Fails when there is no room for it; what a transaction has put in the log by then must not
/// stay, as it has used up what was kept. Does nothing where the file system cannot keep room.
model::Result<void> keepEnd(const std::string &path, std::int64_t bytes);

/// Gives back what was kept.
void releaseEnd(const std::string &path);

} // namespace storage
