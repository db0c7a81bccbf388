// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/base/result.h"
#include "model/session_entry.h"

#include <string>

namespace app {

/// Understands a limit of `genprof prune --keep` and sets it in `rules`: "20" sessions, "30d" of age, "5GiB" of bytes (units end in B). Fails with a
/// sentence when it is none of these, is zero, or one of its kind is set already.
model::Result<void> parseKeepLimit(const std::string &text, model::KeepRules &rules);

} // namespace app
