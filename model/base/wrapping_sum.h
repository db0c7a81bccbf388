// SPDX-License-Identifier: GPL-3.0-or-later
#pragma once

#include <cstdint>

namespace model {

/// Adds `what` to `sum` modulo 2^64. What a hostile target claims need not fit; what was added can be taken off again all the same.
constexpr void addWrapping(std::int64_t &sum, std::int64_t what)
{
    sum = static_cast<std::int64_t>(static_cast<std::uint64_t>(sum) + static_cast<std::uint64_t>(what));
}

constexpr void subtractWrapping(std::int64_t &sum, std::int64_t what)
{
    sum = static_cast<std::int64_t>(static_cast<std::uint64_t>(sum) - static_cast<std::uint64_t>(what));
}

} // namespace model
