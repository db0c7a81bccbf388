// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include "model/base/result.h"

#include <fmt/format.h>

#include <initializer_list>
#include <string>
#include <utility>

namespace app {

/// Sets `value` to the choice called `name`; no name leaves it as it is.
template <typename Enum>
model::Result<void> choose(const char *option, const std::string &name,
    std::initializer_list<std::pair<const char *, Enum>> choices, Enum &value)
{
    std::string names;
    for (const auto &[choice, chosen] : choices) {
        if (name == choice)
            value = chosen;
        if (name.empty() || name == choice)
            return {};
        names += (names.empty() ? "" : ", ") + std::string(choice);
    }
    return model::Error(fmt::format("{} {}: there is no such choice; possible are {}", option, name, names));
}

} // namespace app
