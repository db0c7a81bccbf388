// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/base/format_steady.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace model {

namespace {

constexpr std::size_t kSignificant = 3;

/// Gives a number the zeros that it was written without: "12 MiB" becomes "12.0 MiB".
std::string withZeros(std::string text)
{
    const std::size_t first = std::min(text.find_first_of("0123456789"), text.size());
    const std::size_t end = std::min(text.find_first_not_of("0123456789.", first), text.size());
    const std::string number = text.substr(first, end - first);
    const auto isDigit = [](char c) { return c >= '0' && c <= '9'; };
    auto digits = static_cast<std::size_t>(std::count_if(number.begin(), number.end(), isDigit));
    if (number.starts_with("0.")) // below 1 two decimals are written
        digits = std::max(digits, std::size_t{1});
    if (digits >= kSignificant || number == "0")
        return text;
    const bool isWhole = number.find('.') == std::string::npos;
    return text.insert(end, (isWhole ? "." : "") + std::string(kSignificant - digits, '0'));
}

} // namespace

std::string formatSteady(double value, Unit unit)
{
    const std::string text = formatValue(value, unit);
    switch (unit) {
    case Unit::Bytes:
    case Unit::BytesPerSecond:
    case Unit::BytesPerHour:
        return text.find("iB") == std::string::npos ? text : withZeros(text);
    case Unit::PerSecond:
        return withZeros(text);
    case Unit::Percent: {
        const std::string percent = fmt::format("{:.1f} %", std::abs(value));
        return value <= -0.05 ? "−" + percent : percent;
    }
    case Unit::Count:
    case Unit::Nanoseconds:
        break;
    }
    return text;
}

} // namespace model
