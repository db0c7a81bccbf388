// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/rules/rule_data.h"

namespace model {

const RuleData kGrowingStackRule{.key = "growing_stack",
    .label = "Growing stack",
    .title = "{place} keeps {what}",
    .speedUp = {1, 1},
    .confidence = 0.8,
    .effort = 2,
    .advice = "Look at who should free what {place} allocates: an owner that is never destroyed, a "
              "container that is only added to, or a missing limit.",
    .check = "Record again for as long: the live bytes of this stack should level off.",
    .caution = ""};

} // namespace model
