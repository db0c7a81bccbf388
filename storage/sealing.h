// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/base/result.h"
#include "storage/seal/seal_key.h"

#include <string>

namespace storage {

/// Writes a sealed copy of the session at `in` to a new file `out`, or a plain copy of a sealed one; mode 0600. The original stays; what of
/// it was in clear on the disk stays there. Every page is read, and an altered one refused. Refuses a session that is being recorded.
model::Result<void> sealSession(const std::string &in, const std::string &out, const SealKeyPointer &key);
model::Result<void> unsealSession(const std::string &in, const std::string &out, const SealKeyPointer &key);

} // namespace storage
