// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/aggregate/function_index.h"

#include <vector>

namespace model {

/// Replaces `places` by the functions of a stack as positions for FunctionIndex::place(), leaf first, inlined ones before the
/// function they were inlined into. An incomplete stack ends in its end's place.
void stackPlaces(FunctionIndex &index, StackId stack, std::vector<std::uint32_t> &places);

} // namespace model
