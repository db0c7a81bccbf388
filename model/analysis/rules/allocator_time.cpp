// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/rules/work_rule_list.h"

#include <array>

namespace model {

const WorkRule kAllocatorTimeRule{
    .data = {.key = "allocator_time",
        .label = "Time in malloc and free",
        .title = "{place} spends {share} of the CPU time in malloc and free",
        .speedUp = {1.3, 20},
        .confidence = 0.7,
        .effort = 2,
        .advice = "Allocate less often: reuse objects, keep small things by value, reserve containers; then"
                  " think of an arena or a pool.",
        .check = "Record the same work again: its share and the CPU time as a whole should fall.",
        .caution = ""},
    .leastShare = 0.1,
    .depth = WorkDepth::Symptom,
};

} // namespace model
