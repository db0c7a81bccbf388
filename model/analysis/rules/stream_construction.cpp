// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/analysis/rules/work_rule_list.h"

#include <array>

namespace model {

namespace {

constexpr std::array kFunctions{
    std::to_array<std::string_view>({"std::__cxx11::basic_ostringstream<*>::*basic_ostringstream",
        "std::__cxx11::basic_istringstream<*>::*basic_istringstream",
        "std::__cxx11::basic_stringstream<*>::*basic_stringstream", "std::basic_ofstream<*>::*basic_ofstream",
        "std::basic_ifstream<*>::*basic_ifstream", "std::basic_fstream<*>::*basic_fstream", "std::basic_ios<*>::init*",
        "std::ios_base::ios_base*", "std::ios_base::~ios_base*", "std::locale::locale*", "std::locale::~locale*",
        "std::locale::operator=*", "setlocale", "newlocale"})};

} // namespace

const WorkRule kStreamConstructionRule{
    .data = {.key = "stream_construction",
        .label = "Streams and locales made again",
        .title = "{place} spends {share} of the CPU time making and destroying streams and locales",
        .speedUp = {1.5, 20},
        .confidence = 0.8,
        .effort = 2,
        .advice = "Make the stream once and reuse it, or write numbers with std::to_chars, which needs no "
                  "stream and no locale.",
        .check = "Record the same work again: its share and the CPU time as a whole should fall.",
        .caution = ""},
    .functions = kFunctions,
    .leastShare = 0.05,
};

} // namespace model
