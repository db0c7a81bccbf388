// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/rules/work_rule_list.h"

#include <array>

namespace model {

namespace {

constexpr std::array kFunctions{std::to_array<std::string_view>({"*std::vector<*>::vector(std::vector<*> const&*)",
    "*std::__cxx11::basic_string<*>::basic_string(std::__cxx11::basic_string<*> const&*)",
    "*std::map<*>::map(std::map<*> const&*)", "std::_Rb_tree<*>::_M_copy*",
    "*std::_Hashtable<*>::_Hashtable(std::_Hashtable<*> const&*)", "*std::deque<*>::deque(std::deque<*> const&*)",
    "*std::__cxx11::list<*>::list(std::__cxx11::list<*> const&*)", "*std::vector<*>::operator=(std::vector<*> const&)",
    "*std::function<*>::function(std::function<*> const&*)"})};

} // namespace

const WorkRule kCopiedObjectsRule{
    .data = {.key = "copied_objects",
        .label = "Objects copied",
        .title = "{place} spends {share} of the CPU time copying strings and containers",
        .speedUp = {1.5, 100},
        .confidence = 0.8,
        .effort = 1,
        .advice = "Pass by const reference or view, move what is not needed any more, and write `for (const"
                  " auto &x : …)`.",
        .check = "Record the same work again: its share and the CPU time as a whole should fall.",
        .caution = "A copy can be wanted: what is changed while others keep the original must be copied."},
    .functions = kFunctions,
    .leastShare = 0.05,
};

} // namespace model
