// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/rules/work_rule_list.h"

#include <array>

namespace model {

namespace {

constexpr std::array kFunctions{std::to_array<std::string_view>({"std::vector<*>::operator[]", "std::vector<*>::begin",
    "std::vector<*>::end", "std::vector<*>::size", "std::move<*>", "std::forward<*>", "std::get<*>",
    "__gnu_cxx::__normal_iterator<*>::*", "__gnu_cxx::operator!=<*>", "__gnu_cxx::operator==<*>",
    "__gnu_cxx::operator-<*>", "operator!=<*>", "operator==<*>", "operator-<*>", "std::__niter_base<*>",
    "std::unique_ptr<*>::operator*", "std::unique_ptr<*>::get", "std::array<*>::operator[]", "std::__addressof<*>"})};

} // namespace

const WorkRule kUnoptimisedBuildRule{
    .data = {.key = "unoptimised_build",
        .label = "Built without optimisation",
        .title = "{place} spends {share} of the CPU time in library functions that an optimising compiler "
                 "inlines",
        .speedUp = {1.5, 50},
        .confidence = 0.9,
        .effort = 1,
        .advice = "Build it with -O2; a debug build says little about where an optimised one spends its "
                  "time.",
        .check = "Record the same work again: its share and the CPU time as a whole should fall.",
        .caution = "Debug builds are made on purpose sometimes."},
    .functions = kFunctions,
    .leastShare = 0.1,
    .on = WorkOn::NotInlined,
    .isAboutProgram = true,
};

} // namespace model
