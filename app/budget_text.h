// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/base/result.h"
#include "model/capture_config.h"

#include <string_view>

namespace app {

/// Understands a budget as people write it, bytes in a time: "200MB/48h", "1.5GiB/7d". KB, MB and GB are decimal, K, M, G and KiB, MiB, GiB
/// binary. From 1 MB on and for at least an hour; else fails with a sentence that says what to write.
model::Result<model::ByteBudget> parseBudget(std::string_view text);

} // namespace app
