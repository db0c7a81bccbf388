// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/heap/heap_ages.h"

#include <string>
#include <string_view>

namespace storage {

/// The buckets and examples of a history as stored in stack_age.history: LEB128 numbers; the number of buckets, then of each born, alive, died, and the
/// zigzag differences of live blocks and live bytes to the bucket before; then the number of examples, and of each size and birth in ns.
std::string encodeHistory(const model::StackAges &ages);

/// Reads what encodeHistory() wrote into `ages`; false if it can be no such thing, whatever it holds.
bool decodeHistory(std::string_view bytes, model::StackAges &ages);

} // namespace storage
