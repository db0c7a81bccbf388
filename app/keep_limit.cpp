// SPDX-License-Identifier: GPL-3.0-or-later
#include "app/keep_limit.h"

#include "app/duration_text.h"

#include <array>
#include <charconv>
#include <limits>
#include <utility>

namespace app {

namespace {

struct Unit
{
    std::string_view name;
    std::int64_t bytes;
};

constexpr std::array kUnits
    = std::to_array<Unit>({{"B", 1}, {"kB", 1000}, {"KB", 1000}, {"MB", 1'000'000}, {"GB", 1'000'000'000},
        {"TB", 1'000'000'000'000}, {"KiB", 1LL << 10}, {"MiB", 1LL << 20}, {"GiB", 1LL << 30}, {"TiB", 1LL << 40}});

} // namespace

model::Result<void> parseKeepLimit(const std::string &text, model::KeepRules &rules)
{
    const auto no = [&](const char *why) { return model::Error(text + ": " + why); };
    std::int64_t number = 0;
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
    const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
    if (code != std::errc() || number <= 0)
        return no("a number of sessions (20), an age (30d) or a size (5GiB) above zero is meant");
    if (unit.empty()) {
        if (std::exchange(rules.count, number) != 0)
            return no("a number of sessions was given already");
        return {};
    }
    for (const Unit &known : kUnits) {
        if (unit != known.name)
            continue;
        if (number > std::numeric_limits<std::int64_t>::max() / known.bytes)
            return no("this is more than any disk holds");
        if (std::exchange(rules.bytes, number * known.bytes) != 0)
            return no("a size was given already");
        return {};
    }
    const auto age = parseDuration(text, 1);
    if (!age)
        return no("a number of sessions (20), an age (30d) or a size (5GiB) is meant");
    if (std::exchange(rules.age, *age).ns != 0)
        return no("an age was given already");
    return {};
}

} // namespace app
