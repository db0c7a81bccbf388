// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/rules/rule_data.h"

namespace model {

const RuleData kTemporaryAllocationsRule{.key = "temporary_allocations",
    .label = "Temporary allocations",
    .title = "{place} makes {what} of its own are temporary",
    .speedUp = {1.3, 10},
    .confidence = 0.8,
    .effort = 2,
    .advice = "Keep small blocks on the stack, pass views instead of copies, or reuse one object or "
              "buffer from call to call.",
    .check = "Record again: allocations per second should fall.",
    .caution = ""};

} // namespace model
