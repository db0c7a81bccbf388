// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/rules/rule_data.h"

namespace model {

const RuleData kProcessChurnRule{.key = "process_churn",
    .label = "Processes started for small tasks",
    .title = "{place} starts {what}",
    .speedUp = {1.5, 50},
    .confidence = 0.8,
    .effort = 2,
    .advice = "Do the work in the program itself (a library call instead of a command), or start one "
              "helper and give it many tasks.",
    .check = "Record again: fewer processes, and less CPU time in all.",
    .caution = "Tools that exist to start others, like shells, do this by design."};

} // namespace model
