// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/rules/work_rule_list.h"

#include <array>

namespace model {

namespace {

constexpr std::array kFunctions{std::to_array<std::string_view>({"std::__cxx11::basic_regex<*>::*basic_regex*",
    "std::__cxx11::basic_regex<*>::_M_compile*", "std::__detail::_Compiler<*>::*", "regcomp", "re_compile_internal",
    "re_compile_pattern", "pcre2_compile_8", "pcre_compile", "boost::*basic_regex*::assign*"})};

} // namespace

const WorkRule kRegexCompiledRule{
    .data = {.key = "regex_compiled",
        .label = "Regular expressions compiled again",
        .title = "{place} spends {share} of the CPU time compiling regular expressions",
        .speedUp = {2, 50},
        .confidence = 0.9,
        .effort = 1,
        .advice = "Compile the expression once, as a static constant or a member, and use it again.",
        .check = "Record the same work again: its share and the CPU time as a whole should fall.",
        .caution = ""},
    .functions = kFunctions,
    .leastShare = 0.05,
};

} // namespace model
