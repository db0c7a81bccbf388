// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/base/format_units.h"

#include <string>

namespace model {

/// As formatValue(), for a value that changes under the reader's eyes: always three significant digits, and one decimal of a
/// percentage, so that nothing jumps where a fraction happens to be zero: "12.0 MiB", "1.0 %". Bytes and nothing stay whole.
std::string formatSteady(double value, Unit unit);

} // namespace model
