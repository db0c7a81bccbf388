// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/rules/rule_data.h"

namespace model {

const RuleData kRetainedMemoryRule{.key = "retained_memory",
    .label = "Retained memory",
    .title = "{place} holds {what}",
    .speedUp = {1, 1},
    .confidence = 0.4,
    .effort = 1,
    .advice = "After a phase that needed much memory, give it back (malloc_trim(0)), limit the arenas "
              "(MALLOC_ARENA_MAX), or allocate long-lived and short-lived blocks apart.",
    .check = "Anonymous memory should fall towards the live heap.",
    .caution = "Memory that is mapped without malloc (own pools, generated code, thread stacks) is in "
               "this difference too."};

} // namespace model
