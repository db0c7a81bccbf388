// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/memory_scan.h"

#include <string_view>

namespace model {

namespace {

struct Names
{
    std::string_view key;
    std::string_view label;
};

constexpr std::array<Names, kReachClassCount> kNames{{
    {"still_reachable", "Still reachable"},
    {"possibly_lost", "Possibly lost"},
    {"indirectly_lost", "Indirectly lost"},
    {"definitely_lost", "Definitely lost"},
    {"not_judged", "Not judged"},
}};

} // namespace

std::string_view reachClassKey(ReachClass reach) { return kNames.at(static_cast<std::size_t>(reach)).key; }

std::string_view reachClassLabel(ReachClass reach) { return kNames.at(static_cast<std::size_t>(reach)).label; }

} // namespace model
