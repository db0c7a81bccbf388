// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/rules/work_rule_list.h"

#include <array>

namespace model {

namespace {

constexpr std::array kFunctions{std::to_array<std::string_view>({"std::__shared_count<*>::*",
    "std::_Sp_counted_base<*>::*", "std::__shared_ptr<*>::operator=", "std::shared_ptr<*>::operator="})};

} // namespace

const WorkRule kReferenceCountingRule{
    .data = {.key = "reference_counting",
        .label = "Shared pointers copied",
        .title = "{place} spends {share} of the CPU time counting references of shared pointers",
        .speedUp = {1.5, 20},
        .confidence = 0.8,
        .effort = 1,
        .advice = "Pass a reference or a plain pointer to what somebody else keeps alive; copy a shared "
                  "pointer only to share ownership.",
        .check = "Record the same work again: its share and the CPU time as a whole should fall.",
        .caution = ""},
    .functions = kFunctions,
    .leastShare = 0.1,
    .on = WorkOn::Library,
};

} // namespace model
