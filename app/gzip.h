// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <string>
#include <string_view>

namespace app {

/// The bytes as one gzip member, without a name or a time: equal bytes give equal results.
std::string gzipped(std::string_view bytes);

} // namespace app
