// SPDX-License-Identifier: GPL-3.0-or-later
#include "model/base/utf8.h"

#include <fmt/format.h>

namespace model {

std::size_t utf8Length(std::string_view text)
{
    const auto byte = [&](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
    const auto isNext = [&](std::size_t i, unsigned least = 0x80, unsigned most = 0xbf) {
        return byte(i) >= least && byte(i) <= most;
    };
    if (text.empty())
        return 0;
    const unsigned first = byte(0);
    if (first < 0x80)
        return 1;
    if (first >= 0xc2 && first <= 0xdf)
        return isNext(1) ? 2 : 0;
    if (first >= 0xe0 && first <= 0xef)
        return isNext(1, first == 0xe0 ? 0xa0 : 0x80, first == 0xed ? 0x9f : 0xbf) && isNext(2) ? 3 : 0;
    if (first >= 0xf0 && first <= 0xf4)
        return isNext(1, first == 0xf0 ? 0x90 : 0x80, first == 0xf4 ? 0x8f : 0xbf) && isNext(2) && isNext(3) ? 4 : 0;
    return 0;
}

std::string withBytesShown(std::string_view text)
{
    std::string shown;
    shown.reserve(text.size());
    while (!text.empty()) {
        const std::size_t length = utf8Length(text);
        if (length > 0)
            shown += text.substr(0, length);
        else
            shown += fmt::format("\\x{:02x}", static_cast<unsigned char>(text.front()));
        text.remove_prefix(length > 0 ? length : 1);
    }
    return shown;
}

} // namespace model
