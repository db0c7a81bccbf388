// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace model {

enum class CapabilityLevel : std::uint8_t {
    Ok,      ///< all that is asked for works
    Limited, ///< works with less: the sentence says with what
    Denied,  ///< does not work: the sentence says why
    Unknown, ///< could not be looked at: the sentence says why
};

/// One thing that a recording may need from this machine.
struct Capability
{
    std::string id;    ///< snake_case, stable: "cpu_sampling"
    std::string label; ///< for people: "CPU sampling"
    CapabilityLevel level = CapabilityLevel::Ok;
    std::string sentence; ///< what holds here and why
    std::string remedy;   ///< the command or setting that allows more; empty if there is none or nothing is missing
};

/// What this machine allows the user who asks, in the order in which it is shown.
struct Capabilities
{
    std::vector<Capability> items;

    /// The item with this id; null if there is none.
    const Capability *find(std::string_view id) const
    {
        for (const Capability &item : items) {
            if (item.id == id)
                return &item;
        }
        return nullptr;
    }
};

} // namespace model
