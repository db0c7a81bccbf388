// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/aggregate/call_tree.h"

#include <string>

namespace tests {

/// A call tree as text, a node a line, two spaces a level, without the root: `name total` and ` self N` where self is not 0;
/// ` inlined`, ` ×N` (folded recursion) and ` cut` where they hold.
std::string treeText(const model::CallTree &tree);

} // namespace tests
