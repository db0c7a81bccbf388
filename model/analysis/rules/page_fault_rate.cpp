// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/rules/rule_data.h"

namespace model {

const RuleData kPageFaultRateRule{.key = "page_fault_rate",
    .label = "Page faults",
    .title = "{place} takes {what}",
    .speedUp = {1.4, 5},
    .confidence = 0.4,
    .effort = 2,
    .advice = "Keep memory instead of giving it back and touching it anew: raise M_TRIM_THRESHOLD and "
              "M_MMAP_THRESHOLD, reuse large buffers, or use huge pages.",
    .check = "Minor page faults a second and system CPU time should fall.",
    .caution = "The time is estimated with 0.5 µs a fault, which depends on the machine."};

} // namespace model
