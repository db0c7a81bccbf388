// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/base/result.h"
#include "model/base/units.h"
#include "model/snapshot.h"
#include "storage/seal/seal_key.h"

#include <memory>
#include <optional>
#include <string>

namespace app {

/// Reads what a session says about a window of its time; both ends since the begin of the recording, absent ones those of the recording.
/// `key`: of a sealed one. Fails with a sentence when the file cannot be read, or nothing was recorded then.
model::Result<std::shared_ptr<const model::Snapshot>> readWindow(const std::string &file,
    const storage::SealKeyPointer &key, std::optional<model::Duration> from = {},
    std::optional<model::Duration> to = {});

} // namespace app
